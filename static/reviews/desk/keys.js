// Which key was meant: the same on every layout, never while someone types, and never one of the browser's own.

/** "1" … "9", "shift 1" … "shift 9", a sign such as "a" or "?", or "" for a key that is not ours. */
export function keyMeant(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.keyCode === 229) return "";
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(event.code);  // by place: on AZERTY the upper row types & é "
  if (digit) return event.shiftKey ? `shift ${digit[1]}` : digit[1];
  if (event.shiftKey && event.code === "Slash" && !isLatin(event.key)) return "?";
  if (isLatin(event.key) && !/^[a-z0-9 ]$/i.test(event.key)) return event.key;  // a sign, whatever it takes to type it
  if (event.shiftKey) return "";
  if (event.key.length !== 1 || event.key === " ") return "";
  const letter = isLatin(event.key) ? event.key : (/^Key([A-Z])$/.exec(event.code)?.[1] ?? event.key);
  return letter.toLowerCase();
}

function isLatin(key) {
  return /^[ -~]$/.test(key);
}

/** Whether the key belongs to a field, a dialog or a menu, and not to the desk. */
export function isTyping(target) {
  return Boolean(target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, dialog, [contenteditable]"));
}

/** What each key does: the reader's own bindings, {action: key}, turned round. */
export function actionsOf(bindings) {
  return new Map(Object.entries(bindings).map(([action, key]) => [key, action]));
}

/** Write the reader's keys on the buttons that came with the usual ones. */
export function nameKeys(root, bindings) {
  for (const label of root.querySelectorAll("[data-key-of]")) label.textContent = bindings[label.dataset.keyOf];
}
