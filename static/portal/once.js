/* Once: a form that is on its way cannot be sent again; the key in it makes a double click one act. */

export function busy(form, on) {
  if (!form) return;
  form.toggleAttribute("data-sending", on);
  on ? form.setAttribute("aria-busy", "true") : form.removeAttribute("aria-busy");
  const buttons = [...form.querySelectorAll("[type=submit]")];
  if (form.id) buttons.push(...document.querySelectorAll(`[type=submit][form="${CSS.escape(form.id)}"]`));
  buttons.forEach((button) => { button.disabled = on; });
}
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("data-resubmits")) return;
  if (form.hasAttribute("data-sending")) return event.preventDefault();
  if (form.closest("[hx-post], [hx-put], [hx-patch], [hx-delete]") === form) return; // htmx says when
  // After the browser has read the form, or the pressed button would be missing from it.
  setTimeout(() => { if (!event.defaultPrevented) busy(form, true); });
});
addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form[data-sending]").forEach((form) => busy(form, false));
});
