// The box for finding words in a trace: opened by key, Enter goes on, Shift and Enter back, Escape closes.
import { clear, find, go } from "./find.js";
import { gettext } from "../words.js";

/** Made once; `article` gives the trace in the frame. Gives {open, close}. */
export function startFinding(article) {
  const box = document.createElement("div");
  box.className = "finding";
  box.hidden = true;
  const field = document.createElement("input");
  Object.assign(field, { type: "search", autocomplete: "off" });
  field.setAttribute("aria-label", gettext("Find in the trace"));
  const told = document.createElement("output");
  box.append(field, told);
  document.getElementById("main").append(box);
  let places = 0;
  const standing = (place) => gettext("%(place)s of %(places)s", { place, places });

  field.addEventListener("input", () => {
    places = find(article(), field.value);
    told.textContent = field.value ? standing(go(1)) : "";
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    told.textContent = standing(go(event.shiftKey ? -1 : 1));
  });

  return {
    open() {
      box.hidden = false;
      field.focus();
      field.select();
    },
    /** Whether it was open. */
    close() {
      if (box.hidden) return false;
      box.hidden = true;
      [field.value, told.textContent, places] = ["", "", 0];
      clear();
      return true;
    },
  };
}
