/** @file The studio starts: its style, its colours, the line to the server, and the page. */

import "@fontsource-variable/familjen-grotesk/wght.css";
import "./style/tokens.css";
import "./style/base.css";
import "./style/make.css";
import "./style/melody.css";
import "./style/takes.css";
import { render } from "preact";
import { App } from "./app.js";
import { listenToKeys } from "./keys.js";
import { connect } from "./state/server.js";
import { dress } from "./state/theme.js";

dress();
listenToKeys();
render(<App />, document.getElementById("app")!);
void connect();
