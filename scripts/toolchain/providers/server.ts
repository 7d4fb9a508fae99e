/**
 * Stand-in providers: the engine's own provider protocol, served in this
 * process, for plugins that cannot be downloaded here. What they cannot do
 * they refuse by name; outside of test suites the real plugin is preferred.
 */
import * as grpc from "@grpc/grpc-js";
import emptyProto from "google-protobuf/google/protobuf/empty_pb.js";
import pluginProto from "@pulumi/pulumi/proto/plugin_pb.js";
import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import p from "@pulumi/pulumi/proto/provider_pb.js";
import structProto from "google-protobuf/google/protobuf/struct_pb.js";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import {
  type Properties,
  changedKeys,
  hasUnknown,
  pick,
  properties,
  resultOf,
  unknowns,
} from "./properties.ts";

/** One resource type of a stand-in. */
export interface ResourceType {
  /** Names of outputs that are known only after the resource is made. */
  readonly computed: readonly string[];
  /** Names of inputs whose change needs another resource. */
  readonly replaceOn: readonly string[];
  /** Input that is a name of the engine's making when the program gives none. */
  readonly autoname?: string;
  /** Problems with the inputs, as the user shall read them. */
  readonly check?: (
    inputs: Properties,
  ) => { property: string; reason: string }[];
  readonly create: (
    inputs: Properties,
    context: Context,
  ) => Promise<{ id: string; outputs: Properties }>;
  /** Returns all outputs. Without it, a change that needs no replacement only records the inputs. */
  readonly update?: (
    change: { id: string; state: Properties; inputs: Properties },
    context: Context,
  ) => Promise<Properties>;
  readonly delete?: (
    resource: { id: string; state: Properties },
    context: Context,
  ) => Promise<void>;
  /** The resource as it is now; undefined when it is gone. */
  readonly read?: (
    resource: { id: string; state: Properties },
    context: Context,
  ) => Promise<Properties | undefined>;
}

export interface Context {
  /** The provider's own configuration, for example `apiToken`. */
  readonly configuration: Properties;
}

export interface StandIn {
  readonly name: string;
  /** Version of the SDK that sends the requests. */
  readonly version: string;
  readonly types: Readonly<Record<string, ResourceType>>;
  /** Functions that programs ask, by token. */
  readonly functions?: Readonly<
    Record<string, (args: Properties) => Properties>
  >;
}

export interface RunningStandIn {
  readonly port: number;
  stop(): void;
}

/** Serves a stand-in on a free port of the loopback. */
export async function serve(standIn: StandIn): Promise<RunningStandIn> {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": 400 * 1024 * 1024,
  });
  server.addService(providerGrpc.ResourceProviderService, handlers(standIn));
  const port = await promisify<string, grpc.ServerCredentials, number>(
    server.bindAsync.bind(server),
  )("127.0.0.1:0", grpc.ServerCredentials.createInsecure());
  return {
    port,
    stop: () => {
      server.forceShutdown();
    },
  };
}

function handlers(standIn: StandIn): grpc.UntypedServiceImplementation {
  let configuration: Properties = {};
  const context = (): Context => ({ configuration });

  return {
    getPluginInfo: unary(() => {
      const response = new pluginProto.PluginInfo();
      response.setVersion(standIn.version);
      return response;
    }),
    attach: unary(() => new emptyProto.Empty()),
    cancel: unary(() => new emptyProto.Empty()),
    getSchema: unary(() => {
      const response = new p.GetSchemaResponse();
      response.setSchema("{}");
      return response;
    }),
    checkConfig: unary((request: p.CheckRequest) => checked(request, [])),
    diffConfig: unary(() => new p.DiffResponse()),
    configure: unary((request: p.ConfigureRequest) => {
      configuration = properties(request.getArgs());
      const response = new p.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      response.setSupportsAutonamingConfiguration(true);
      response.setAcceptresources(false);
      response.setAcceptoutputs(false);
      return response;
    }),
    invoke: unary((request: p.InvokeRequest) => {
      const token = request.getTok();
      const answer = standIn.functions?.[token];
      if (!answer) throw unknownToken(standIn, token, standIn.functions ?? {});
      const response = new p.InvokeResponse();
      response.setReturn(
        resultOf(undefined, answer(properties(request.getArgs()))),
      );
      return response;
    }),
    check: unary((request: p.CheckRequest) => {
      const type = typeOf(standIn, request.getUrn());
      request.setNews(named(request, type.autoname));
      const inputs = properties(request.getNews());
      return checked(
        request,
        hasUnknown(inputs) ? [] : (type.check?.(inputs) ?? []),
      );
    }),
    diff: unary((request: p.DiffRequest) => {
      const type = typeOf(standIn, request.getUrn());
      const before = properties(request.getOldInputs());
      const after = properties(request.getNews());
      const ignored = request.getIgnorechangesList();
      const changed = changedKeys(before, after).filter(
        (key) => !ignored.includes(key),
      );
      const response = new p.DiffResponse();
      response.setChanges(
        changed.length > 0
          ? p.DiffResponse.DiffChanges.DIFF_SOME
          : p.DiffResponse.DiffChanges.DIFF_NONE,
      );
      response.setDiffsList(changed);
      response.setReplacesList(
        changed.filter((key) => type.replaceOn.includes(key)),
      );
      return response;
    }),
    create: unary(async (request: p.CreateRequest) => {
      const type = typeOf(standIn, request.getUrn());
      const inputs = properties(request.getProperties());
      const response = new p.CreateResponse();
      if (request.getPreview()) {
        response.setProperties(
          resultOf(request.getProperties(), unknowns(type.computed)),
        );
        return response;
      }
      const { id, outputs } = await type.create(inputs, context());
      response.setId(id);
      response.setProperties(resultOf(request.getProperties(), outputs));
      return response;
    }),
    update: unary(async (request: p.UpdateRequest) => {
      const type = typeOf(standIn, request.getUrn());
      const inputs = properties(request.getNews());
      const state = properties(request.getOlds());
      const response = new p.UpdateResponse();
      // What no change decides anew is known before it is made.
      const kept = pick(state, type.computed);
      const outputs = !type.update
        ? kept
        : request.getPreview()
          ? unknowns(type.computed)
          : await type.update(
              { id: request.getId(), state, inputs },
              context(),
            );
      response.setProperties(resultOf(request.getNews(), outputs));
      return response;
    }),
    delete: unary(async (request: p.DeleteRequest) => {
      const type = typeOf(standIn, request.getUrn());
      const state = properties(request.getProperties());
      await type.delete?.({ id: request.getId(), state }, context());
      return new emptyProto.Empty();
    }),
    read: unary(async (request: p.ReadRequest) => {
      const type = typeOf(standIn, request.getUrn());
      const state = properties(request.getProperties());
      const response = new p.ReadResponse();
      const now = type.read
        ? await type.read({ id: request.getId(), state }, context())
        : {};
      if (now === undefined) return response;
      response.setId(request.getId());
      response.setInputs(inputsNow(request.getInputs(), now));
      response.setProperties(resultOf(request.getProperties(), now));
      return response;
    }),
  };
}

/** The inputs as a refresh finds them: a program that says otherwise is a change. */
function inputsNow(
  before: structProto.Struct | undefined,
  now: Properties,
): structProto.Struct {
  const given = before?.toJavaScript() ?? {};
  const found = changedKeys(properties(before), now).filter(
    (key) => key in given && now[key] !== undefined,
  );
  return structProto.Struct.fromJavaScript({
    ...given,
    ...(pick(now, found) as typeof given),
  });
}

/** The inputs with a name: their own, the one before, or the engine's. */
function named(
  request: p.CheckRequest,
  property: string | undefined,
): structProto.Struct {
  const given = request.getNews()?.toJavaScript() ?? {};
  if (property === undefined || property in given) {
    return structProto.Struct.fromJavaScript(given);
  }
  const before = request.getOlds()?.toJavaScript()[property];
  // As providers do where nothing is configured.
  const name =
    request.getAutonaming()?.getProposedName() ??
    `${request.getName()}-${randomBytes(4).toString("hex").slice(0, 7)}`;
  return structProto.Struct.fromJavaScript({
    ...given,
    [property]: before ?? name,
  });
}

/** What the engine is told of the inputs. */
function checked(
  request: p.CheckRequest,
  problems: { property: string; reason: string }[],
): p.CheckResponse {
  const response = new p.CheckResponse();
  response.setInputs(request.getNews());
  response.setFailuresList(
    problems.map(({ property, reason }) => {
      const failure = new p.CheckFailure();
      failure.setProperty(property);
      failure.setReason(reason);
      return failure;
    }),
  );
  return response;
}

/** Answers one call; what the work throws is shown to the user as it is. */
function unary<Request, Response>(
  work: (request: Request) => Response | Promise<Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    Promise.resolve()
      .then(() => work(call.request))
      .then(
        (response) => {
          callback(null, response);
        },
        (error: unknown) => {
          const details =
            error instanceof Error ? error.message : String(error);
          callback({ code: grpc.status.UNKNOWN, details });
        },
      );
  };
}

/**
 * The type of a resource, from its URN.
 * @throws Error when the stand-in does not know the type
 */
function typeOf(standIn: StandIn, urn: string): ResourceType {
  const token = urn.split("::")[2]?.split("$").at(-1) ?? "";
  const type = standIn.types[token];
  if (!type) throw unknownToken(standIn, token, standIn.types);
  return type;
}

function unknownToken(standIn: StandIn, token: string, known: object): Error {
  return new Error(
    `The stand-in of provider ${standIn.name} does not know ${token}; it knows ${Object.keys(known).join(", ")}. Use the real plugin where it can be downloaded.`,
  );
}
