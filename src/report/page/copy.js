"use strict";
// Selects what a button names, or else what stands before it, and copies it.
for (const button of document.querySelectorAll("button.copy")) {
  button.addEventListener("click", () => {
    const named = document.getElementById(button.dataset.copy);
    getSelection().selectAllChildren(named || button.previousElementSibling);
    // A page from a file may have no clipboard of its own.
    if (document.execCommand("copy")) button.textContent = "copied";
  });
}
