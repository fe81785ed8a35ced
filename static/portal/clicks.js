/* Small acts of one click: a reason leads to its field, print, fill, copy. */

import { announce, focusField, say } from "./page.js";

document.addEventListener("click", (event) => {
  // A reason in a dialog leads to its field.
  const jump = event.target.closest(".modal a[href^='#']");
  if (jump && jump.hash) {
    event.preventDefault();
    const dialog = jump.closest(".modal");
    dialog.addEventListener("hidden.bs.modal", () => focusField(jump.hash), { once: true });
    return tabler.Modal.getInstance(dialog).hide();
  }
  const reason = event.target.closest(".step[href^='#'], .alert a[href^='#']");
  if (reason && reason.hash && focusField(reason.hash)) return event.preventDefault();
  if (event.target.closest("[data-print]")) return print();
  // An example sign-in fills the form: data-fill='{"id_login": "…"}'.
  const example = event.target.closest("[data-fill]");
  if (example) {
    event.preventDefault();
    let form = null;
    for (const [id, value] of Object.entries(JSON.parse(example.dataset.fill))) {
      const field = document.getElementById(id);
      if (field) { field.value = value; form = field.form; }
    }
    return form?.querySelector("[type=submit]")?.focus();
  }
  // A proposal types itself into its field, as a person would: data-types='{"id_days": "45"}'.
  const proposal = event.target.closest("[data-types]");
  if (proposal) {
    for (const [id, value] of Object.entries(JSON.parse(proposal.dataset.types))) {
      const field = document.getElementById(id);
      if (!field) continue;
      field.value = value;
      field.focus();
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    return;
  }
  const copy = event.target.closest("[data-copy]");
  if (copy) navigator.clipboard?.writeText(copy.dataset.copy).then(() => announce(say("Copied")));
});
