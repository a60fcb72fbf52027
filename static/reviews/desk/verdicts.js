// Verdicts and what else can be said of a trace, in the reader's words.
import { gettext } from "../words.js";

const verdicts = { accept: gettext("accept"), reject: gettext("reject"), unsure: gettext("unsure"), "bad-prompt": gettext("bad-prompt") };

export const verdictWords = (verdict) => verdicts[verdict] ?? verdict;

/** What stands at the foot after saying it; `said`: the verdict in words. */
export const lastWords = (what, said) => ({ skip: gettext("Skipped"), ask: gettext("Asked") }[what] ?? gettext("Last: %(verdict)s", { verdict: said }));
