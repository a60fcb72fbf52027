// Steps: walking them, selecting one, and labelling them where the round asks for it.

let labels = new Map();  // of the trace in the frame: step number to label

const stepsOf = (article) => [...article.querySelectorAll("[data-step]")];
export const currentStep = (article) => article.querySelector("[data-step][aria-current]");

function makeCurrent(article, step) {
  currentStep(article)?.removeAttribute("aria-current");
  step.setAttribute("aria-current", "step");
  const fold = step.closest("details");
  if (fold) fold.open = true;
  step.scrollIntoView({ block: "nearest" });
}

/** Go one step on or back, and bring it into sight. */
export function walk(article, way) {
  const steps = stepsOf(article);
  const at = steps.findIndex((step) => step.hasAttribute("aria-current"));
  const to = steps[Math.min(Math.max(at + way, 0), steps.length - 1)];
  if (to) makeCurrent(article, to);
}

export function jumpTo(article, number) {
  const step = article.querySelector(`[data-step="${CSS.escape(number)}"]`);
  if (step) makeCurrent(article, step);
}

/** Select the current step as a mouse would; Shift and the arrows change the selection from there. */
export function selectStep(article) {
  if (!currentStep(article)) walk(article, 1);
  const step = currentStep(article);
  if (step) getSelection().selectAllChildren(step.querySelector(".text"));
}

/** Begin with labels that were kept, [{step, label}], or none. */
export function openLabels(article, kept) {
  labels = new Map((kept ?? []).map(({ step, label }) => [step, label]));
  draw(article);
}

/** Label the current step and go on; in a first-wrong round judging stops at the step that is wrong. */
export function label(article, form, what) {
  if (!form.dataset.labels) return false;
  if (!currentStep(article)) walk(article, 1);
  const step = currentStep(article);
  if (!step) return false;
  const number = Number(step.dataset.step);
  labels.set(number, what);
  if (form.dataset.labels === "first-wrong" && what === "bad") {
    for (const other of stepsOf(article)) {
      const place = Number(other.dataset.step);
      if (place < number) labels.set(place, "good");
      if (place > number) labels.delete(place);
    }
  } else {
    walk(article, 1);
  }
  draw(article);
  return true;
}

/** The labels in order, as the server takes them. */
export function labelsStanding(article) {
  return stepsOf(article).filter((step) => labels.has(Number(step.dataset.step))).map((step) => ({
    step: Number(step.dataset.step),
    start: Number(step.dataset.from),
    end: Number(step.dataset.until),
    label: labels.get(Number(step.dataset.step)),
  }));
}

/** The first step without a label, or 0. */
export function firstWithout(article) {
  const step = stepsOf(article).find((item) => !labels.has(Number(item.dataset.step)));
  return step ? Number(step.dataset.step) : 0;
}

function draw(article) {
  for (const step of stepsOf(article)) {
    const what = labels.get(Number(step.dataset.step));
    if (what) step.dataset.label = what;
    else delete step.dataset.label;
  }
}
