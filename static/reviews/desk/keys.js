// Which key was meant: the same on every layout, and never while someone types.

/** "a" … "z", "?", "1" … "9", "shift 1" … "shift 9", "up", "down", or "" for a key that is not ours. */
export function keyMeant(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.keyCode === 229) return "";
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);  // by place: on AZERTY the upper row types & é "
  if (digit) return event.shiftKey ? `shift ${digit[1]}` : digit[1];
  if (event.key === "?" || (event.shiftKey && event.code === "Slash" && !isLatin(event.key))) return "?";
  if (event.shiftKey) return "";
  const letter = isLatin(event.key) ? event.key : (/^Key([A-Z])$/.exec(event.code)?.[1] ?? "");
  return /^[a-z]$/i.test(letter) ? letter.toLowerCase() : "";
}

function isLatin(key) {
  return /^[ -~]$/.test(key);
}

/** Whether the key belongs to a field, a dialog or a menu, and not to the desk. */
export function isTyping(target) {
  return Boolean(target.closest?.("input:not([type=checkbox]), textarea, select, dialog, [contenteditable]"));
}
