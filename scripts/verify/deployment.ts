/** What verify tries: the lab, or a stack of one's own. */
import type { EgressRule } from "../../infra/gateway/rules.ts";
import type { Probe } from "./probe.ts";
import type { RoadOut } from "./road-out.ts";

export interface Deployment extends AsyncDisposable {
  /** What the stack allows. */
  readonly rules: readonly EgressRule[];
  /** Where to look when a probe fails, for people. */
  readonly logs: string;
  /** A probe of each promise. */
  probes(): Promise<Probe[]>;
  /** @throws LabError when the ways around the list cannot be tried */
  roadOut(): Promise<RoadOut>;
}
