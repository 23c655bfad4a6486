// The islands: each works on what the server rendered, and every page can be used without them.
import "htmx.org";
import { bulks } from "./bulk";
import { confirmations } from "./confirm";
import { copying } from "./copy";
import { dials } from "./dial";
import { dropzones } from "./dropzone";
import { errors } from "./errors";
import { followers } from "./follow";
import { keyboard } from "./keyboard";
import { menus } from "./menu";
import { notes } from "./note";
import { palette } from "./palette";
import { lengths, secrets } from "./secret";
import { themes } from "./switch";
import { tabs } from "./tabs";
import { times } from "./time";
import { tips } from "./tip";

themes();
menus();
confirmations();
copying();
dials();
keyboard(palette());
tips();
errors();

// What stands in the page is set up once; what htmx brings later, when it comes.
function enliven(root: ParentNode): void {
  bulks(root);
  dropzones(root);
  followers(root);
  notes(root);
  secrets(root);
  lengths(root);
  tabs(root);
  times(root);
}
enliven(document);
document.addEventListener("htmx:load", (event) => {
  if (event.target instanceof Element) enliven(event.target);
});
