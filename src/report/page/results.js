"use strict";
for (const button of document.querySelectorAll("button.copy")) {
  button.addEventListener("click", () => {
    getSelection().selectAllChildren(button.previousElementSibling);
    // A page from a file may have no clipboard of its own.
    if (document.execCommand("copy")) button.textContent = "copied";
  });
}
