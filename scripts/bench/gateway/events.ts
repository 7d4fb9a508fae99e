/** The application behind streams of events: one at once, the others in time. */
import { createServer } from "node:http";

createServer((_request, response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write("data: first\n\n");
  const timer = setInterval(() => response.write("data: next\n\n"), 1_000);
  response.on("close", () => {
    clearInterval(timer);
  });
}).listen(4001, "127.0.0.1");
