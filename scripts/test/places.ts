/** How many suites run at a time on this computer, and how many labs they get. */
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { availableParallelism } from "node:os";

/** What a lab needs at its largest, with the machines that suites add to it. */
const whole = { memory: 1000, inotify: 28 };
/** The same of one without the stacks: three servers, or a second checkout's lab. */
const surroundings = { memory: 1200, inotify: 32 };
/** What the rest of a run needs. */
const rest = { memory: 2000, inotify: 4 };

/** Labs of one run that may live at the same time. */
export interface Places {
  /** Labs that carry the stacks. */
  readonly whole: number;
  /** Labs with the internet and Daytona only, to which suites add servers. */
  readonly surroundings: number;
  /** Suites that run at a time; one of them needs no lab. */
  readonly all: number;
}

export interface Computer {
  readonly cores: number;
  /** Memory that can be had without swapping, in MiB. */
  readonly memory: number;
  /** inotify(7) instances that root may still make; each systemd holds some. */
  readonly inotify: number;
}

/**
 * The labs that a computer has room for. Suites wait more than they work, so
 * there are more of them than cores; three in four need the stacks.
 */
export function placesFor({ cores, memory, inotify }: Computer): Places {
  for (let labs = 2 * cores; ; labs--) {
    const others = Math.ceil(labs / 3);
    const needed = (what: "memory" | "inotify") =>
      labs * whole[what] + others * surroundings[what] + rest[what];
    const fits = needed("memory") <= memory && needed("inotify") <= inotify;
    // With less than one of each there would be nothing to run in.
    if (!fits && labs > 1) continue;
    return { whole: labs, surroundings: others, all: labs + others + 1 };
  }
}

export function thisComputer(): Computer {
  const [, kilobytes = "0"] =
    /^MemAvailable:\s+(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8")) ?? [];
  const limit = readFileSync("/proc/sys/fs/inotify/max_user_instances", "utf8");
  return {
    cores: availableParallelism(),
    memory: Math.floor(Number(kilobytes) / 1024),
    inotify: Number(limit) - inotifyInUse(),
  };
}

/** Instances of all processes that can be looked at; one's own for a user, all for root. */
function inotifyInUse(): number {
  let found = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const directory = `/proc/${pid}/fd`;
    try {
      for (const fd of readdirSync(directory)) {
        if (readlinkSync(`${directory}/${fd}`) === "anon_inode:inotify")
          found++;
      }
    } catch {
      // It ended meanwhile, or is not ours to look at.
    }
  }
  return found;
}
