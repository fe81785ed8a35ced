/* A form that somebody has changed is not left without a question. A draft keeps itself (drafts.js);
   the boxes of a list are no text that could be lost. */

const CHANGED = "#main form[method=post]:not([data-keeps], [data-list])";
const touched = new WeakSet();
const sent = new WeakSet();
// Forms that were drawn anew while somebody was changing them: what they show is their own default.
const redrawn = new Set();
const nameOf = (form) => form.id || form.getAttribute("action") || "";

// Typed by a person: what a script fills in by itself is no loss.
const typed = ({ target, isTrusted }) => {
  const form = target.form?.matches(CHANGED) && target.form;
  if (form && (isTrusted || form.contains(document.activeElement))) touched.add(form);
};
document.addEventListener("input", typed);
document.addEventListener("change", typed);

const differs = (field) => {
  if (!field.name || ["hidden", "submit", "button"].includes(field.type)) return false;
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.options) {
    const written = [...field.options].some((each) => each.defaultSelected);
    // Of a single choice without a written one the browser takes the first.
    return [...field.options].some((each, place) => each.selected !== (written || field.multiple ? each.defaultSelected : place === 0));
  }
  return field.type === "file" ? field.files.length > 0 : field.value !== field.defaultValue;
};
// What was refused is not saved either, though the page came with it.
const unsaved = (form) => !sent.has(form) && (redrawn.has(nameOf(form)) || form.querySelector(".is-invalid") || (touched.has(form) && [...form.elements].some(differs)));

document.addEventListener("submit", ({ target }) => {
  if (target.target === "_blank") return;
  sent.add(target);
  // Refused by a script, or answered with a file: the page and what is typed are still here.
  setTimeout(() => { if (!target.hasAttribute("data-sending")) sent.delete(target); }, 1000);
}, true);
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const form = detail.requestConfig?.elt;
  // An answer that leads to another page is followed just after this.
  if (form && !detail.xhr.getResponseHeader("HX-Redirect")) sent.delete(form);
});
// Who cancels has said that it may go.
document.addEventListener("click", ({ target }) => {
  if (target.closest("a[data-cancel]")) document.querySelectorAll(CHANGED).forEach((form) => sent.add(form));
}, true);
document.addEventListener("htmx:beforeSwap", ({ target }) => {
  for (const form of document.querySelectorAll(CHANGED)) {
    if (!target.contains(form)) continue;
    unsaved(form) ? redrawn.add(nameOf(form)) : redrawn.delete(nameOf(form));
  }
});
addEventListener("pageshow", () => document.querySelectorAll(CHANGED).forEach((form) => sent.delete(form)));
addEventListener("beforeunload", (event) => {
  if ([...document.querySelectorAll(CHANGED)].some(unsaved)) event.preventDefault();
});
