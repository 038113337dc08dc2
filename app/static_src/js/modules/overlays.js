// Menus, folding parts and dialogs, on the browser's own elements: <details>, aria-expanded, <dialog>.

/** A menu is a <details class="menu">: it closes on Escape, on a click elsewhere, and when another opens. */
export function startMenus() {
  const closeOthers = (kept) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== kept) menu.open = false;
  };
  document.addEventListener("click", (event) => closeOthers(event.target.closest?.("details.menu")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector("details.menu[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
}

/** `<button data-toggle="id" aria-expanded="false">` opens and closes the element of that id. */
export function startDisclosures() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-toggle]");
    if (!button) return;
    const opened = document.getElementById(button.dataset.toggle).classList.toggle("is-open");
    button.setAttribute("aria-expanded", String(opened));
  });
}

/** `data-dialog="id"` opens a dialog; `data-close` inside it, or a click beside it, closes it. */
export function startDialogs() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[data-dialog]");
    if (opener) document.getElementById(opener.dataset.dialog).showModal();
    const dialog = event.target.closest?.("dialog");
    if (dialog && (event.target === dialog || event.target.closest("[data-close]"))) dialog.close();
  });
}
