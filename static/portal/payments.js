/* Recording a payment: form[data-goes-on]. Enter goes on to the next field and from the last one to
   the main button; in a part of the spread "=" asks the server to put there what is left, and "0"
   over an untouched part leaves it out. The server spreads; what is being typed is never taken away. */

const SPREAD = "spread";
const formOf = (target) => target.closest?.("form[data-goes-on]");
const fieldsOf = (form) => [...form.querySelectorAll("input, select")].filter(
  (field) => !["hidden", "radio", "checkbox"].includes(field.type) && field.checkVisibility(),
);
const isPart = (field) => Boolean(field.closest?.("td.part"));

let asked = {}; // what the next request brings beside the fields
function spreadAnew(values) {
  asked = values;
  window.htmx?.trigger("#spreader", "now");
}
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.elt.id !== "spreader") return;
  for (const [name, value] of Object.entries(asked)) detail.formData.set(name, value);
  asked = {};
});

export function goesOnKey(event) {
  const field = event.target;
  const form = formOf(field);
  if (!form || !field.matches("input") || event.ctrlKey || event.metaKey || event.altKey) return false;
  if (event.key === "Enter") {
    event.preventDefault();
    const fields = fieldsOf(form);
    const main = [...document.querySelectorAll("[data-primary], .act-bar .btn-primary")].find((button) => button.offsetParent);
    (fields[fields.indexOf(field) + 1] || main)?.focus();
    return true;
  }
  if (!isPart(field)) return false;
  if (event.key === "=") {
    event.preventDefault();
    spreadAnew({ rest: field.name.replace("part-", "") });
    return true;
  }
  // Not by its value: the answer of the server has made what was typed the value it stands with.
  if (event.key === "0" && typedIn !== field.id) field.select();
  return false;
}

// A field that is entered is typed over: its whole text is chosen, by key and by mouse. A piece that
// is replaced gets its focus back: that is not entering.
let entered = null;
let replaced = "";
let typedIn = ""; // the field that was typed in since it was entered
document.addEventListener("input", ({ target }) => { typedIn = target.id; });
document.addEventListener("focusin", ({ target }) => {
  if (!target.matches?.("input[data-selects]") || target.id === replaced) return;
  target.select();
  entered = target;
  typedIn = "";
});
document.addEventListener("mouseup", (event) => {
  if (entered && event.target === entered && entered.selectionStart === entered.selectionEnd) entered.select();
  entered = null;
});
document.addEventListener("DOMContentLoaded", () => {
  if (document.activeElement?.matches("input[data-selects]")) document.activeElement.select();
});

// An answer that was asked for before the last key must not take that key away.
let typed = null;
document.addEventListener("htmx:beforeSwap", ({ target, detail }) => {
  const field = document.activeElement;
  const acts = ["rest", "oldest"].some((name) => detail.requestConfig?.formData?.get?.(name));
  replaced = field?.id || "";
  typed = target.id === SPREAD && !acts && isPart(field) && field.value !== field.defaultValue
    ? { id: field.id, value: field.value, at: field.selectionStart } : null;
});
// At once, not when the piece has settled: a key may come in between.
document.addEventListener("htmx:afterSwap", () => {
  const field = typed && document.getElementById(typed.id);
  if (field && field.value !== typed.value) {
    field.value = typed.value;
    field.setSelectionRange(typed.at, typed.at);
  }
  typed = null;
  replaced = "";
});
document.addEventListener("htmx:afterSettle", () => {
  const facts = document.getElementById("payer-facts");
  const payer = document.getElementById("id_payer");
  // The label named the client: his name belongs into the field that nobody has touched.
  // What was wrong with the field is said beside it, and gone with it.
  if (facts && payer && !facts.querySelector(".invalid-feedback")) {
    payer.classList.remove("is-invalid");
    payer.removeAttribute("aria-invalid");
  }
  if (facts?.dataset.client && payer && !payer.value && document.activeElement !== payer) payer.value = facts.dataset.name;
});
