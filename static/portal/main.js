/* The portal's script. Everything here only helps: each page works as links and forms without it.
   No build step: the browser follows the imports, whose names carry hashes in production
   (billing_portal/static_files.py). The order of listeners is the order of these lines. */

import "./lists.js";
import "./clicks.js";
import "./filters.js";
import "./combo.js";
import "./payments.js";
import "./corrected.js";
import "./keys.js";
import "./editor.js";
import "./catalogue.js";
import "./once.js";
import "./drafts.js";
import "./preview.js";
import "./unsaved.js";
import "./requests.js";
import "./dialogs.js";
import "./arrivals.js";
