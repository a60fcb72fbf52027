// The list of what was refused for good: it stays in this browser until its reader has done with it.
import { forgetRefused, refusedOnes } from "./outbox.js";
import { verdictWords } from "./verdicts.js";
import { gettext, locale } from "../words.js";

/** Put the list, and the button that opens it, up to date. */
export async function showKept(user) {
  const refused = await refusedOnes(user);
  let opener = document.querySelector("[data-kept-open]");
  if (!opener) {
    opener = document.createElement("button");
    Object.assign(opener, { type: "button", className: "plain" });
    opener.dataset.keptOpen = "";
    document.querySelector("[data-unsent]").after(opener);
  }
  opener.hidden = !refused.length;
  opener.textContent = gettext("%(n)s not saved", { n: refused.length });
  document.querySelector("[data-kept-list]").replaceChildren(...refused.map((record) => line(record, user)));
}

function line(record, user) {
  const item = document.createElement("li");
  const fields = [...new URLSearchParams(record.body)];
  // Side by side, each sample's fields have its assignment before their name.
  const saidAs = (name) => fields.filter(([field, value]) => value && (field === name || field.endsWith(`-${name}`))).map(([, value]) => value);
  const verdicts = record.said ? [record.said] : saidAs("verdict").map(verdictWords);
  const parts = [...verdicts, saidAs("clauses").join(" "), ...saidAs("comment")].filter(Boolean);
  item.append(`${new Date(record.at).toLocaleString(locale)}: ${parts.join(", ") || record.words}. ${record.why} `);
  const drop = document.createElement("button");
  Object.assign(drop, { type: "button", className: "plain", textContent: gettext("Drop it") });
  drop.addEventListener("click", async () => { await forgetRefused(record.id); showKept(user); });
  item.append(drop);
  return item;
}
