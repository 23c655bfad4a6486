// Loaded before the styles so that a page never flashes in the other theme. Only a choice made by hand is stored; else
// the system's preference rules through CSS.
const key = "parley-theme";

function stored(): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage is off: the system's preference rules
  }
}

const theme = stored();
if (theme === "paper" || theme === "ink") document.documentElement.dataset["theme"] = theme;
