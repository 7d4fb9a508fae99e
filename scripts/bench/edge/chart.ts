import { thousands } from "../thousands.ts";
import type { Results } from "./results.ts";

/** Sizes, in the chart's own units. */
const row = 34;
const label = 210;
const width = 720;
const bar = width - label - 90;

/** The rates as a bar chart in SVG, for light and dark pages. */
export function chart({ rate, date }: Results): string {
  const rows: [string, number, string][] = [
    ["bare HAProxy", rate.http1.bare, "other"],
    ["daytona-edge, every control", rate.http1.edge, "edge"],
    ["nginx, the request's example", rate.nginx, "other"],
    ["Caddy", rate.caddy, "other"],
  ];
  const most = Math.max(...rows.map(([, value]) => value));
  const height = 60 + rows.length * row;
  const bars = rows.map(([name, value, kind], index) => {
    const y = 44 + index * row;
    const length = Math.round((value / most) * bar);
    return [
      `<text x="${String(label - 10)}" y="${String(y + 15)}" text-anchor="end">${name}</text>`,
      `<rect class="${kind}" x="${String(label)}" y="${String(y)}" width="${String(length)}" height="22" rx="3"/>`,
      `<text x="${String(label + length + 8)}" y="${String(y + 15)}">${thousands(value)}</text>`,
    ].join("\n");
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(width)} ${String(height)}" role="img" aria-label="Requests per second on one core">
<style>
text { font: 13px system-ui, sans-serif; fill: #1b2430; }
.title { font-weight: 600; }
.other { fill: #9aa7b8; }
.edge { fill: #2f6fde; }
@media (prefers-color-scheme: dark) { text { fill: #e8edf4; } .other { fill: #5d6b7e; } .edge { fill: #6ea0ff; } }
</style>
<text class="title" x="0" y="18">Requests per second on one core, keep-alive TLS (${date.slice(0, 10)})</text>
${bars.join("\n")}
</svg>
`;
}
