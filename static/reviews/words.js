// Sentences in the reader's language. The page loads Django's catalogue before this; without it all is English.

const filled = (sentence, values) => sentence.replace(/%\((\w+)\)s|%%/g, (whole, name) => (name ? values[name] ?? whole : "%"));

/** `text` in the reader's language, with `%(name)s` replaced by the value of that name and `%%` by one sign. */
export function gettext(text, values = {}) {
  return filled(globalThis.gettext?.(text) ?? text, values);
}

const { lang } = document.documentElement;

/** How dates and numbers are written: as the browser's reader is used to, in the page's language. */
export const locale = navigator.languages.find((one) => one.split("-")[0] === lang) ?? lang;
