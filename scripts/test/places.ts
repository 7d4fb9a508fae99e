/** How many suites run at a time on this computer, and how many labs they get. */
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { availableParallelism } from "node:os";

/** What a lab needs at its largest, with the machines that suites add to it. */
const whole = { memory: 1000, inotify: 28 };
/** The same of one without the stacks. */
const surroundings = { memory: 800, inotify: 20 };
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
 * The labs that a computer has room for: suites wait more than they work, so
 * there are more of them than cores.
 */
export function placesFor({ cores, memory, inotify }: Computer): Places {
  const fits = (labs: number, others: number) =>
    labs * whole.memory + others * surroundings.memory + rest.memory <=
      memory &&
    labs * whole.inotify + others * surroundings.inotify + rest.inotify <=
      inotify;
  const places = { whole: 1, surroundings: 1 };
  for (let more = true; more;) {
    more = false;
    for (const [kind, most] of [
      ["whole", 2 * cores],
      ["surroundings", cores],
    ] as const) {
      const grown = { ...places, [kind]: places[kind] + 1 };
      if (grown[kind] > most || !fits(grown.whole, grown.surroundings))
        continue;
      places[kind]++;
      more = true;
    }
  }
  return { ...places, all: places.whole + places.surroundings + 1 };
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
