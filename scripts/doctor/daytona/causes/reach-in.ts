/** Why nobody gets to a sandbox. */
import {
  configOf,
  isCloudflares,
  runnerOf,
  serverOf,
  toolboxUrl,
} from "../facts.ts";
import type { Observations } from "../observations.ts";
import { isLoopback } from "../sites.ts";
import { type Cause, excluded, named, possible, unknown } from "./cause.ts";

const needsSsh = "needs a login: --ssh root@SERVER";

export const noApi: Cause = {
  id: "A",
  title: "the API does not answer at this address",
  judge(o) {
    if (!o.api) return unknown("needs --api URL");
    const { value, error } = o.api.config;
    if (value) return excluded("API", `Daytona ${String(value.version)}`);
    const url = String(o.asked.api);
    if (serverOf(o)?.config) {
      return named(
        `${url}: ${error ?? ""}; on the server itself the API answers, so a firewall or a wrong name is in between`,
        `curl -v ${url}/config`,
        "open the API's port, or its reverse proxy's, in the provider's firewall and in the server's",
      );
    }
    return named(
      `${url}: ${error ?? ""}`,
      `curl -v ${url}/config`,
      "on the server: docker compose ps api; docker compose logs --tail 50 api",
    );
  },
  stack: "Nothing: clients call the API by its own address.",
};

export const keyRefused: Cause = {
  id: "K",
  title: "the API refuses the key",
  judge(o) {
    if (!o.api?.key) return unknown("needs a key");
    return o.api.key === "accepted"
      ? excluded("key", "the API took it")
      : named(
          o.api.sandbox?.error ?? "",
          "make a key in the dashboard (Keys), and: export DAYTONA_API_KEY",
        );
  },
  stack: "Nothing: keys are Daytona's.",
};

export const notRunning: Cause = {
  id: "15",
  title: "the sandbox or its runner does not run",
  judge(o) {
    const record = o.api?.sandbox?.value;
    const server = serverOf(o);
    const runner = runnerOf(o);
    const container = runner?.sandbox;
    const start = (id: string) =>
      `curl -X POST -H "Authorization: Bearer $DAYTONA_API_KEY" ${o.asked.api ?? "https://…/api"}/sandbox/${id}/start`;
    const stopped = server?.containers.find(
      ({ service, state }) => service === "runner" && state !== "running",
    );
    if (stopped && !runner?.sandboxes.length) {
      return named(
        `the runner's container ${stopped.name} is ${stopped.state}`,
        `docker start ${stopped.name}; docker logs --tail 50 ${stopped.name}`,
      );
    }
    if (runner?.docker.error !== undefined && runner.isContainer) {
      return named(
        `the Docker in ${runner.name} does not answer: ${runner.docker.error}`,
        `docker logs --tail 50 ${runner.name}`,
        `docker restart ${runner.name}`,
      );
    }
    if (record && record.state !== "started") {
      return named(
        `Daytona says that sandbox ${record.id} is ${record.state}${record.errorReason === undefined ? "" : ` (${record.errorReason})`}; after 15 minutes without a request it stops by itself`,
        start(record.id),
        "keep it: set autoStopInterval to 0 when it is made",
      );
    }
    if (container && container.state !== "running") {
      return named(
        `the sandbox's container is ${container.state}`,
        start(container.id),
      );
    }
    if (record) return excluded("sandbox", `${record.id} is started`);
    if (container) return excluded("sandbox", `${container.id} runs`);
    if (/Is the Sandbox started\?/.test(o.toolbox?.shell.error ?? "")) {
      return named(
        o.toolbox?.shell.error ?? "",
        start(o.asked.sandbox ?? "ID"),
      );
    }
    if (runner && runner.sandboxes.length === 0) {
      return unknown("no sandbox runs on the runner; start one, and ask again");
    }
    return unknown("needs a key, or --ssh root@SERVER");
  },
  stack:
    "It says so: 503 sandbox_unreachable in place of Daytona's 400. It starts nothing.",
};

export const toolboxAddress: Cause = {
  id: "5",
  title: "the toolbox's address is one that clients cannot reach",
  judge(o) {
    const url = toolboxUrl(o);
    if (url === undefined) return unknown("needs --api URL or --ssh");
    const site = o.sites.find(({ what }) => what === "toolbox");
    const fix = [
      "in Daytona's compose file, for api and proxy: PROXY_DOMAIN=proxy.example.net and PROXY_PROTOCOL=https; or for api alone: PROXY_TOOLBOX_BASE_URL=https://…",
      "docker compose up -d api proxy",
    ];
    const api = o.asked.api;
    if (isLoopback(url) && !(api !== undefined && isLoopback(api))) {
      return named(
        `Daytona sends clients to ${url}: on each computer that is the computer itself`,
        ...fix,
      );
    }
    if (site?.addresses.error !== undefined) {
      return named(
        `${url}: its name has no address (${site.addresses.error})`,
        ...fix,
      );
    }
    if (site?.response?.value?.version !== undefined) {
      return excluded("toolbox address", `${url} answers from here`);
    }
    return unknown(
      site?.response?.error === undefined
        ? "was not asked from here"
        : `the name ${url} is as it should be; that it does not answer has another cause`,
    );
  },
  stack:
    "With the edge, PROXY_DOMAIN is the stack's domain, and with toolbox: true the toolbox is served there.",
};

export const closedProxy: Cause = {
  id: "F",
  title: "Daytona's proxy cannot be reached from outside",
  judge(o) {
    const site = o.sites.find(({ what }) => what === "toolbox");
    if (!site) return unknown("needs --api URL, or --ssh root@SERVER");
    if (!site.response) return unknown("its name has no address");
    const { value, error } = site.response;
    if (value?.version !== undefined) {
      return excluded("toolbox address", `${site.url} answers from here`);
    }
    if (isCertificateError(error)) {
      return named(
        `${site.url}: ${String(error)}`,
        "give the name a certificate that clients know, wildcard and all: PROXY_DOMAIN and *.PROXY_DOMAIN",
      );
    }
    const found =
      error ?? `answers ${String(value?.status)}, but not as Daytona's proxy`;
    const because = `${site.url}: ${found}`;
    const fix = [`curl -v ${site.url}`];
    if (serverOf(o)?.proxyVersion !== undefined) {
      return named(
        `${because}; on the server itself the proxy answers, so a firewall or a reverse proxy is in between`,
        ...fix,
        "open the port in the provider's firewall and in the server's, or correct the reverse proxy",
      );
    }
    return possible(
      because,
      ...fix,
      "on the server: docker compose ps proxy; docker compose logs --tail 50 proxy",
    );
  },
  stack:
    "The edge is its own way in, with its own name and certificate; Daytona's proxy needs no open port then.",
};

function isCertificateError(error: string | undefined): boolean {
  return /certificate|altname|self.signed|unable to (get|verify)|SSL|TLS/i.test(
    error ?? "",
  );
}

export const cloudflareBefore: Cause = {
  id: "16",
  title: "Cloudflare stands before it",
  judge(o) {
    const sites = o.sites.filter(({ what }) => what !== "API");
    const behind = sites.filter(
      ({ addresses, response }) =>
        addresses.value?.some(isCloudflares) || response?.value?.cloudflare,
    );
    if (sites.length === 0)
      return unknown("needs --api URL, --ssh root@SERVER or --from URL");
    const [site] = behind;
    if (!site) {
      return excluded("public names", "no address is Cloudflare's");
    }
    const { status } = site.response?.value ?? {};
    const fix = [
      "set the record to DNS only (grey cloud), or buy a certificate for that depth: https://developers.cloudflare.com/ssl/edge-certificates/",
    ];
    if (site.response?.error !== undefined) {
      return named(
        `${site.url} is Cloudflare's, and ${site.response.error}: its own certificates cover one level of names only`,
        ...fix,
      );
    }
    if (status !== undefined && status >= 520 && status <= 526) {
      return named(
        `${site.url} gives Cloudflare's ${String(status)}: it does not get an answer it can use from the server`,
        ...fix,
      );
    }
    return possible(
      `${site.url} is Cloudflare's: it ends an answer that is silent for 100 s (524)`,
      ...fix,
    );
  },
  stack:
    "Its records are DNS only, and its certificate has the wildcard; a Worker calls it as any host.",
};

export const runnerDomain: Cause = {
  id: "6",
  title: "Daytona's proxy has the wrong address of the runner",
  judge(o) {
    const server = serverOf(o);
    const domain = runnerOf(o)?.domain;
    const works = o.toolbox?.byProxy.value !== undefined;
    if (works) return excluded("Daytona's proxy", "it reaches the daemon");
    const dials = server?.dialErrors.find((line) =>
      /dial tcp (\[::1\]|127\.)/.test(line),
    );
    const fix = [
      "in Daytona's compose file, for runner: RUNNER_DOMAIN=runner",
      "docker compose up -d runner",
    ];
    if (domain !== undefined && /^(localhost|127\.|::1)/.test(domain)) {
      return named(
        `RUNNER_DOMAIN of ${String(runnerOf(o)?.name)} is ${domain}: to the proxy's container that is itself${dials === undefined ? "" : `; ${dials}`}`,
        ...fix,
      );
    }
    if (server?.proxyToRunner?.error !== undefined) {
      return named(
        `the proxy's container gets nothing from http://${String(domain)}: ${server.proxyToRunner.error}`,
        ...fix,
      );
    }
    if (server?.proxyToRunner?.value !== undefined) {
      return excluded("proxy to runner", `${String(domain)} answers the proxy`);
    }
    if (/answers 502/.test(o.toolbox?.byProxy.error ?? "")) {
      return possible(
        `the proxy gives 502, as when it cannot reach the runner; ${needsSsh}`,
        "on the server: docker compose logs --tail 50 proxy | grep 'dial tcp'",
        ...fix,
      );
    }
    if (!server) return unknown(needsSsh);
    return unknown(
      domain === undefined
        ? "the runner has no RUNNER_DOMAIN of its own"
        : `the runner is ${domain}, and no container of Daytona's proxy runs there to ask from`,
    );
  },
  stack: "Nothing: the edge passes requests to Daytona's proxy.",
};

export const noWayToSandbox: Cause = {
  id: "7",
  title: "the runner cannot reach the sandbox",
  judge(o) {
    const runner = runnerOf(o);
    const sandbox = runner?.sandbox;
    if (o.toolbox?.byProxy.value !== undefined || o.toolbox?.shell.value) {
      return excluded("shell", "the daemon answers");
    }
    if (sandbox?.daemon.value !== undefined) {
      return excluded("runner to sandbox", "the daemon answers the runner");
    }
    if (sandbox?.state === "running") {
      const strange = !sandbox.networks.some((network) =>
        ["runner-bridge", "bridge"].includes(network),
      );
      return named(
        `port 2280 of ${sandbox.address} does not answer in the runner's network: ${sandbox.daemon.error ?? ""}${strange ? `; the sandbox is on ${sandbox.networks.join(", ") || "no network"}, and the runner looks for runner-bridge or bridge` : ""}`,
        strange
          ? "take CONTAINER_NETWORK out of the runner's environment, and make the sandbox anew"
          : `docker exec ${runner?.name ?? "RUNNER"} docker logs --tail 50 ${sandbox.id}`,
        `docker exec ${runner?.name ?? "RUNNER"} docker restart ${sandbox.id}`,
      );
    }
    const said = o.toolbox?.shell.error ?? "";
    return /dial tcp|i\/o timeout|connection refused/.test(said)
      ? possible(
          `${said}; ${needsSsh}`,
          "npm run doctor -- --daytona --ssh root@SERVER",
        )
      : unknown(configOf(o) ? needsSsh : "needs --api URL or --ssh");
  },
  stack: "Nothing, unless upstream is direct.",
};

/** For rows. */
export const sandboxOf = (o: Observations) =>
  o.api?.sandbox?.value?.id ?? runnerOf(o)?.sandbox?.id ?? o.asked.sandbox;
