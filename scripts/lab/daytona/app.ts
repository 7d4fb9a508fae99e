/**
 * The app in the lab's sandboxes: answers whatever a test wants to send
 * through the edge. usage: app PORT…
 */
import { createApp } from "./app/server.ts";

for (const port of process.argv.slice(2)) createApp().listen(Number(port));
