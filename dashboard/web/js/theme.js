import { byId } from "./dom.js";
import { forget } from "./palette.js";

const preferred = matchMedia("(prefers-color-scheme: dark)");

function stored() {
  try {
    return localStorage.getItem("orrery-theme");
  } catch {
    return null; // storage is switched off
  }
}

// theme applies the system's choice, or the one made with the button, which is
// remembered.
export function theme(changed) {
  const button = byId("theme");
  let choice = stored();
  const apply = () => {
    const dark = choice ? choice === "dark" : preferred.matches;
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    button.textContent = dark ? "Light" : "Dark";
    button.setAttribute("aria-label", dark ? "Use light colours" : "Use dark colours");
    forget();
    changed();
  };
  button.addEventListener("click", () => {
    choice = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("orrery-theme", choice);
    } catch { /* it lasts as long as the page */ }
    apply();
  });
  preferred.addEventListener("change", apply);
  apply();
}
