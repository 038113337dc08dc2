/** On the sign-in page of a demo: choosing a person fills in their login. */
export function startDemoLogins() {
  document.addEventListener("click", (event) => {
    const choice = event.target.closest?.("[data-fill-login]");
    if (!choice) return;
    const form = document.querySelector("main form");
    form.elements.username.value = choice.dataset.fillLogin;
    form.elements.password.value = choice.dataset.fillPassword ?? "";
    (choice.dataset.fillPassword ? form.querySelector("[type=submit]") : form.elements.password).focus();
  });
}
