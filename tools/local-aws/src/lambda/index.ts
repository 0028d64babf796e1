import { createHash, randomUUID } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { dirname, join, normalize } from "node:path";
import { readBody } from "../body.ts";
import { refuseOthers, type Service, type ServiceContext, ServiceException } from "../service.ts";
import { buildUrlEvent, functionUrlPrefix, StreamedAnswer, writeUrlAnswer } from "./function-urls.ts";
import { resolveImage, unpackImage } from "./image-rootfs.ts";
import { createInvoker } from "./invoker.ts";
import type { Alias, Code, Configuration, FunctionUrl, LambdaFunction, Version } from "./model.ts";

/** Functions, versions, aliases, URLs and their processes. */
export function createService(context: ServiceContext): Service {
  const { store, now, call, accountId, region } = context;
  const invoker = createInvoker(context);
  const arnOf = (name: string, qualifier?: string) =>
    `arn:aws:lambda:${region}:${accountId}:function:${name}${qualifier === undefined ? "" : `:${qualifier}`}`;

  function findName(reference: string): string {
    return /(?:^|:function:)([^:]+)(?::[^:]+)?$/.exec(reference)?.[1] ?? reference;
  }

  function mustFind(reference: string, qualifier?: string): LambdaFunction {
    const name = findName(reference);
    const found = store.get<LambdaFunction>(`function ${name}`);
    if (found === undefined) throw notFound("Function", arnOf(name, qualifier));
    return found;
  }

  const save = (fn: LambdaFunction) => store.put(`function ${fn.latest.configuration.FunctionName}`, fn);

  function mustFindVersion(fn: LambdaFunction, qualifier = "$LATEST"): Version {
    if (qualifier === "$LATEST") return fn.latest;
    const version = fn.aliases[qualifier]?.FunctionVersion ?? qualifier;
    const found =
      version === "$LATEST" ? fn.latest : fn.published.find((candidate) => candidate.version === version);
    if (found === undefined)
      throw notFound("Function", arnOf(fn.latest.configuration.FunctionName, qualifier));
    return found;
  }

  function describe(version: Version, qualifier?: string) {
    const { configuration, code } = version;
    const { EntryPoint, Command, WorkingDirectory } = configuration.ImageConfig ?? {};
    return {
      ...configuration,
      ImageConfig: undefined,
      ...(configuration.ImageConfig && {
        ImageConfigResponse: { ImageConfig: { EntryPoint, Command, WorkingDirectory } },
      }),
      FunctionArn: arnOf(
        configuration.FunctionName,
        qualifier ?? (version.version === "$LATEST" ? undefined : version.version),
      ),
      CodeSha256: code.sha256,
      CodeSize: code.imageUri === undefined ? code.sizeBytes : 0,
      Version: version.version,
      RevisionId: version.revisionId,
      LastModified: new Date(version.lastModified).toISOString().replace("Z", "+0000"),
      State: version.state,
      ...(version.stateReason && { StateReason: version.stateReason, StateReasonCode: "ImageAccessDenied" }),
      LastUpdateStatus: version.lastUpdateStatus,
      ...(version.lastUpdateStatusReason && { LastUpdateStatusReason: version.lastUpdateStatusReason }),
    };
  }

  /** `$LATEST` with changes; every change has a revision of its own, and what ran under the old one is ended. */
  function changeLatest(fn: LambdaFunction, changes: Partial<Version>): LambdaFunction {
    invoker.retire(fn.latest.revisionId);
    const latest = { ...fn.latest, ...changes, revisionId: randomUUID(), lastModified: now() };
    const changed = { ...fn, latest };
    save(changed);
    return changed;
  }

  /** Fetches the image and says that the update is done, as Lambda does in the background. */
  function finishUpdate(name: string): void {
    const work = (async () => {
      const { latest } = mustFind(name);
      const outcome = await prepare(latest).then(
        () => ({ state: "Active", lastUpdateStatus: "Successful" }) as const,
        (error) =>
          ({
            state: latest.state === "Pending" ? "Failed" : latest.state,
            stateReason: String(error.message),
            lastUpdateStatus: "Failed",
            lastUpdateStatusReason: String(error.message),
          }) as const,
      );
      const fn = store.get<LambdaFunction>(`function ${name}`);
      if (fn === undefined || fn.latest.revisionId !== latest.revisionId) return;
      changeLatest(fn, outcome);
    })();
    context.keepAlive(work);
  }

  async function prepare({ code }: Version): Promise<void> {
    if (code.imageUri !== undefined) await unpackImage(context, await resolveImage(context, code.imageUri));
  }

  function refuseWhileBusy({ latest }: LambdaFunction): void {
    const arn = arnOf(latest.configuration.FunctionName);
    if (latest.state === "Pending") {
      throw new ServiceException(
        "ResourceConflictException",
        `The operation cannot be performed at this time. The function is currently in the following state: Pending`,
        409,
      );
    }
    if (latest.lastUpdateStatus === "InProgress") {
      throw new ServiceException(
        "ResourceConflictException",
        `The operation cannot be performed at this time. An update is in progress for resource: ${arn}`,
        409,
      );
    }
  }

  function refuseStale(RevisionId: string | undefined, current: string): void {
    if (RevisionId === undefined || RevisionId === current) return;
    throw new ServiceException(
      "PreconditionFailedException",
      "The RevisionId provided does not match the latest RevisionId. Call the GetFunction/GetAlias API to retrieve the latest RevisionId",
      412,
    );
  }

  async function resolveCode(input: CodeInput, architecture: string): Promise<Code> {
    if (input.ImageUri !== undefined) {
      const image = await resolveImage(context, input.ImageUri);
      const expected = architecture === "arm64" ? "arm64" : "amd64";
      if (image.architecture !== expected) {
        throw new ServiceException(
          "InvalidParameterValueException",
          `The image's architecture ${image.architecture} does not match the function's architecture ${architecture}.`,
        );
      }
      return {
        sha256: image.digest.replace("sha256:", ""),
        sizeBytes: image.sizeBytes,
        imageUri: input.ImageUri,
      };
    }
    const archive =
      input.ZipFile === undefined
        ? (await call<{ Body: Uint8Array }>("s3", "GetObject", { Bucket: input.S3Bucket, Key: input.S3Key }))
            .Body
        : Buffer.from(input.ZipFile, "base64");
    const sha256 = createHash("sha256").update(archive).digest("base64");
    return { sha256, sizeBytes: archive.length, directory: await unzip(archive, sha256) };
  }

  async function unzip(archive: Uint8Array, sha256: string): Promise<string> {
    const directory = join(store.directory, "archives", Buffer.from(sha256, "base64").toString("hex"));
    if (existsSync(directory)) return directory;
    const { unzipSync } = await import("fflate");
    const part = `${directory}.part`;
    rmSync(part, { recursive: true, force: true });
    for (const [name, content] of Object.entries(unzipSync(archive))) {
      const path = join(part, normalize(`/${name}`));
      if (name.endsWith("/")) continue;
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    }
    if (existsSync(join(part, "bootstrap"))) chmodSync(join(part, "bootstrap"), 0o755);
    renameSync(part, directory);
    return directory;
  }

  /** The version that an alias's weights choose, for one call. */
  function chooseVersion(fn: LambdaFunction, qualifier: string | undefined): Version {
    const weights = fn.aliases[qualifier ?? ""]?.RoutingConfig?.AdditionalVersionWeights ?? {};
    let chance = Math.random();
    for (const [version, weight] of Object.entries(weights)) {
      if (chance < weight) return mustFindVersion(fn, version);
      chance -= weight;
    }
    return mustFindVersion(fn, qualifier);
  }

  async function invoke(
    reference: string,
    qualifier: string | undefined,
    payload: Buffer,
    more: { clientContext?: string; onChunk?: (chunk: Buffer) => void } = {},
  ) {
    const fn = mustFind(reference, qualifier);
    const version = chooseVersion(fn, qualifier);
    if (version.state !== "Active") {
      throw new ServiceException(
        "ResourceConflictException",
        `The operation cannot be performed at this time. The function is currently in the following state: ${version.state}`,
        409,
      );
    }
    const functionArn = arnOf(version.configuration.FunctionName, qualifier);
    const outcome = await invoker.invoke(version, { payload, functionArn, qualifier, ...more });
    if (outcome === undefined) throw new ServiceException("TooManyRequestsException", "Rate Exceeded.", 429);
    return { ...outcome, version: version.version };
  }

  async function answerUrl(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const id = url.pathname.slice(functionUrlPrefix.length).split("/")[0] ?? "";
    const body = await readBody(request);
    const found = findUrl(id);
    if (
      found === undefined ||
      (found.url.authType === "AWS_IAM" && !request.headers.authorization?.startsWith("AWS4-HMAC-SHA256"))
    ) {
      response.writeHead(403, { "content-type": "application/json" }).end('{"Message":"Forbidden"}');
      return;
    }
    const { name, url: config } = found;
    const event = Buffer.from(JSON.stringify(buildUrlEvent(request, url, id, accountId, body)));
    const qualifier = config.qualifier === "" ? undefined : config.qualifier;
    const streamed = new StreamedAnswer(response);
    const streams = config.invokeMode === "RESPONSE_STREAM";
    const outcome = await invoke(
      name,
      qualifier,
      event,
      streams ? { onChunk: (chunk) => streamed.write(chunk) } : {},
    );
    if (streamed.begun) {
      if (outcome.functionError === undefined) streamed.end();
      else response.destroy();
      return;
    }
    if (outcome.functionError !== undefined) {
      response.writeHead(502, { "content-type": "application/json" }).end("Internal Server Error");
      return;
    }
    if (outcome.contentType === "application/vnd.awslambda.http-integration-response") {
      streamed.write(outcome.payload);
      streamed.end();
      return;
    }
    writeUrlAnswer(response, outcome.payload.toString());
  }

  function findUrl(id: string): { name: string; url: FunctionUrl } | undefined {
    for (const key of store.keys("function ")) {
      const fn = store.get<LambdaFunction>(key);
      const url = fn?.urls.find((candidate) => candidate.id === id);
      if (fn !== undefined && url !== undefined) return { name: fn.latest.configuration.FunctionName, url };
    }
    return undefined;
  }

  function describeUrl(name: string, url: FunctionUrl) {
    return {
      FunctionUrl: `${context.endpoint}${functionUrlPrefix}${url.id}/`,
      FunctionArn: arnOf(name, url.qualifier === "" ? undefined : url.qualifier),
      AuthType: url.authType,
      InvokeMode: url.invokeMode,
      ...(url.cors && { Cors: url.cors }),
      CreationTime: new Date(url.createdAt).toISOString(),
      LastModifiedTime: new Date(url.createdAt).toISOString(),
    };
  }

  function mustFindUrl(fn: LambdaFunction, qualifier = ""): FunctionUrl {
    const url = fn.urls.find((candidate) => candidate.qualifier === qualifier);
    if (url === undefined)
      throw new ServiceException(
        "ResourceNotFoundException",
        "The resource you requested does not exist.",
        404,
      );
    return url;
  }

  function mustFindAlias(fn: LambdaFunction, name: string): Alias {
    const alias = fn.aliases[name];
    if (alias === undefined) throw notFound("Alias", arnOf(fn.latest.configuration.FunctionName, name));
    return alias;
  }

  const describeAlias = (name: string, alias: Alias) => ({ ...alias, AliasArn: arnOf(name, alias.Name) });

  function putAlias(fn: LambdaFunction, alias: Omit<Alias, "RevisionId">): Alias {
    mustFindVersion(fn, alias.FunctionVersion);
    for (const version of Object.keys(alias.RoutingConfig?.AdditionalVersionWeights ?? {}))
      mustFindVersion(fn, version);
    const changed = { ...alias, RevisionId: randomUUID() };
    save({ ...fn, aliases: { ...fn.aliases, [alias.Name]: changed } });
    return changed;
  }

  return {
    routes: { [functionUrlPrefix]: answerUrl },
    resume() {
      for (const key of store.keys("function ")) {
        const fn = store.get<LambdaFunction>(key);
        if (fn?.latest.state === "Pending" || fn?.latest.lastUpdateStatus === "InProgress")
          finishUpdate(fn.latest.configuration.FunctionName);
      }
    },
    stop: invoker.stop,
    operations: {
      async CreateFunction({ Code: code, Tags = {}, Publish, ...input }) {
        refuseOthers("CreateFunction", input, [
          ...configurable,
          "FunctionName",
          "PackageType",
          "Architectures",
        ]);
        if (store.get(`function ${input.FunctionName}`) !== undefined) {
          throw new ServiceException(
            "ResourceConflictException",
            `Function already exist: ${input.FunctionName}`,
            409,
          );
        }
        const PackageType = input.PackageType ?? "Zip";
        if (PackageType === "Zip" && !input.Runtime?.startsWith("provided.")) {
          throw new ServiceException(
            "InvalidParameterValueException",
            `local-aws: zip functions run on provided.* here, not on ${input.Runtime}`,
          );
        }
        const configuration: Configuration = {
          Description: "",
          Timeout: 3,
          MemorySize: 128,
          Architectures: ["x86_64"],
          EphemeralStorage: { Size: 512 },
          ...input,
          PackageType,
        };
        const latest: Version = {
          version: "$LATEST",
          configuration,
          code: await resolveCode(code, configuration.Architectures[0] ?? "x86_64"),
          revisionId: randomUUID(),
          lastModified: now(),
          state: "Pending",
          lastUpdateStatus: "InProgress",
        };
        save({ latest, published: [], nextVersion: 1, aliases: {}, urls: [], policies: {}, tags: Tags });
        finishUpdate(input.FunctionName);
        return describe(latest);
      },
      async GetFunction({ FunctionName, Qualifier }) {
        const fn = mustFind(FunctionName, Qualifier);
        const version = mustFindVersion(fn, Qualifier);
        const { imageUri, sha256 } = version.code;
        const repository = imageUri?.replace(/(?<=\/[^:@]+)[:@].*$/, "");
        return {
          Configuration: describe(version, Qualifier),
          Code:
            imageUri === undefined
              ? { RepositoryType: "S3", Location: `${context.endpoint}/archives` }
              : {
                  RepositoryType: "ECR",
                  ImageUri: imageUri,
                  ResolvedImageUri: `${repository}@sha256:${sha256}`,
                },
          ...(Object.keys(fn.tags).length > 0 && { Tags: fn.tags }),
        };
      },
      GetFunctionConfiguration: async ({ FunctionName, Qualifier }) =>
        describe(mustFindVersion(mustFind(FunctionName, Qualifier), Qualifier), Qualifier),
      ListFunctions: async () => ({
        Functions: store
          .keys("function ")
          .map((key) => describe((store.get<LambdaFunction>(key) as LambdaFunction).latest)),
      }),
      async UpdateFunctionCode({ FunctionName, RevisionId, Publish, DryRun, Architectures, ...code }) {
        const fn = mustFind(FunctionName);
        refuseWhileBusy(fn);
        refuseStale(RevisionId, fn.latest.revisionId);
        if (Publish || Architectures)
          throw new ServiceException(
            "LocalAwsUnsupported",
            "local-aws: UpdateFunctionCode does not cover Publish, Architectures",
            501,
          );
        const resolved = await resolveCode(code, fn.latest.configuration.Architectures[0] ?? "x86_64");
        if (DryRun) return describe(fn.latest);
        const { latest } = changeLatest(fn, { code: resolved, lastUpdateStatus: "InProgress" });
        finishUpdate(latest.configuration.FunctionName);
        return describe(latest);
      },
      async UpdateFunctionConfiguration({ FunctionName, RevisionId, ...input }) {
        refuseOthers("UpdateFunctionConfiguration", input, configurable);
        const fn = mustFind(FunctionName);
        refuseWhileBusy(fn);
        refuseStale(RevisionId, fn.latest.revisionId);
        const configuration = { ...fn.latest.configuration, ...input };
        const { latest } = changeLatest(fn, { configuration, lastUpdateStatus: "InProgress" });
        finishUpdate(latest.configuration.FunctionName);
        return describe(latest);
      },
      async DeleteFunction({ FunctionName, Qualifier }) {
        const fn = mustFind(FunctionName, Qualifier);
        if (Qualifier === undefined) {
          for (const { revisionId } of [fn.latest, ...fn.published]) invoker.retire(revisionId);
          store.delete(`function ${fn.latest.configuration.FunctionName}`);
          return {};
        }
        const version = mustFindVersion(fn, Qualifier);
        const user = Object.values(fn.aliases).find(
          ({ FunctionVersion, RoutingConfig }) =>
            FunctionVersion === version.version ||
            RoutingConfig?.AdditionalVersionWeights?.[version.version] !== undefined,
        );
        if (user !== undefined) {
          throw new ServiceException(
            "ResourceConflictException",
            `Version ${version.version} is currently referenced by the alias ${user.Name}`,
            409,
          );
        }
        invoker.retire(version.revisionId);
        save({ ...fn, published: fn.published.filter((candidate) => candidate !== version) });
        return {};
      },
      async PublishVersion({ FunctionName, CodeSha256, RevisionId, Description }) {
        const fn = mustFind(FunctionName);
        refuseWhileBusy(fn);
        refuseStale(RevisionId, fn.latest.revisionId);
        if (CodeSha256 !== undefined && CodeSha256 !== fn.latest.code.sha256) {
          throw new ServiceException(
            "InvalidParameterValueException",
            `CodeSHA256 (${CodeSha256}) is different from current CodeSHA256 in $LATEST (${fn.latest.code.sha256}). Please try again with the CodeSHA256 in $LATEST.`,
          );
        }
        const configuration = {
          ...fn.latest.configuration,
          ...(Description !== undefined && { Description }),
        };
        const last = fn.published.at(-1);
        const same =
          last?.code.sha256 === fn.latest.code.sha256 &&
          JSON.stringify(last?.configuration) === JSON.stringify(configuration);
        if (last !== undefined && same) return describe(last);
        const published: Version = {
          ...fn.latest,
          configuration,
          version: String(fn.nextVersion),
          revisionId: randomUUID(),
          lastModified: now(),
        };
        save({ ...fn, published: [...fn.published, published], nextVersion: fn.nextVersion + 1 });
        return describe(published);
      },
      async ListVersionsByFunction({ FunctionName, Marker = "0", MaxItems = 50 }) {
        const fn = mustFind(FunctionName);
        const all = [fn.latest, ...fn.published];
        const from = Number(Marker);
        const page = all.slice(from, from + Number(MaxItems));
        const more = from + page.length < all.length;
        return {
          Versions: page.map((version) => describe(version, version.version)),
          ...(more && { NextMarker: String(from + page.length) }),
        };
      },
      async CreateAlias({ FunctionName, Name, FunctionVersion, Description = "", RoutingConfig }) {
        const fn = mustFind(FunctionName);
        const name = findName(FunctionName);
        if (fn.aliases[Name] !== undefined) {
          throw new ServiceException(
            "ResourceConflictException",
            `Alias already exists: ${arnOf(name, Name)}`,
            409,
          );
        }
        return describeAlias(name, putAlias(fn, { Name, FunctionVersion, Description, RoutingConfig }));
      },
      GetAlias: async ({ FunctionName, Name }) =>
        describeAlias(findName(FunctionName), mustFindAlias(mustFind(FunctionName, Name), Name)),
      async UpdateAlias({ FunctionName, Name, RevisionId, ...changes }) {
        refuseOthers("UpdateAlias", changes, ["FunctionVersion", "Description", "RoutingConfig"]);
        const fn = mustFind(FunctionName, Name);
        const alias = mustFindAlias(fn, Name);
        refuseStale(RevisionId, alias.RevisionId);
        return describeAlias(findName(FunctionName), putAlias(fn, { ...alias, ...changes }));
      },
      async DeleteAlias({ FunctionName, Name }) {
        const fn = mustFind(FunctionName, Name);
        const { [Name]: _removed, ...aliases } = fn.aliases;
        save({ ...fn, aliases });
        return {};
      },
      async ListAliases({ FunctionName, FunctionVersion }) {
        const aliases = Object.values(mustFind(FunctionName).aliases);
        const chosen = aliases.filter(
          (alias) => FunctionVersion === undefined || alias.FunctionVersion === FunctionVersion,
        );
        return { Aliases: chosen.map((alias) => describeAlias(findName(FunctionName), alias)) };
      },
      async AddPermission({
        FunctionName,
        Qualifier = "",
        StatementId,
        Action,
        Principal,
        FunctionUrlAuthType,
        SourceArn,
        SourceAccount,
        InvokedViaFunctionUrl,
      }) {
        const fn = mustFind(FunctionName, Qualifier || undefined);
        const statements = fn.policies[Qualifier] ?? [];
        if (statements.some(({ Sid }) => Sid === StatementId)) {
          throw new ServiceException(
            "ResourceConflictException",
            `The statement id (${StatementId}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
            409,
          );
        }
        const Condition = {
          ...(FunctionUrlAuthType && { StringEquals: { "lambda:FunctionUrlAuthType": FunctionUrlAuthType } }),
          ...(InvokedViaFunctionUrl !== undefined && {
            Bool: { "lambda:InvokedViaFunctionUrl": String(InvokedViaFunctionUrl) },
          }),
          ...(SourceArn && { ArnLike: { "AWS:SourceArn": SourceArn } }),
          ...(SourceAccount && { StringEquals: { "AWS:SourceAccount": SourceAccount } }),
        };
        const Statement = {
          Sid: StatementId,
          Effect: "Allow",
          Principal,
          Action,
          Resource: arnOf(findName(FunctionName), Qualifier || undefined),
          Condition,
        };
        save({ ...fn, policies: { ...fn.policies, [Qualifier]: [...statements, Statement] } });
        return { Statement: JSON.stringify(Statement) };
      },
      async RemovePermission({ FunctionName, Qualifier = "", StatementId }) {
        const fn = mustFind(FunctionName, Qualifier || undefined);
        const statements = fn.policies[Qualifier] ?? [];
        if (!statements.some(({ Sid }) => Sid === StatementId)) {
          throw new ServiceException(
            "ResourceNotFoundException",
            `Statement ${StatementId} is not found in resource policy.`,
            404,
          );
        }
        save({
          ...fn,
          policies: { ...fn.policies, [Qualifier]: statements.filter(({ Sid }) => Sid !== StatementId) },
        });
        return {};
      },
      async GetPolicy({ FunctionName, Qualifier = "" }) {
        const statements = mustFind(FunctionName, Qualifier || undefined).policies[Qualifier] ?? [];
        if (statements.length === 0)
          throw new ServiceException(
            "ResourceNotFoundException",
            "No policy is associated with the given function.",
            404,
          );
        return { Policy: JSON.stringify({ Version: "2012-10-17", Id: "default", Statement: statements }) };
      },
      async CreateFunctionUrlConfig({
        FunctionName,
        Qualifier = "",
        AuthType,
        InvokeMode = "BUFFERED",
        Cors,
      }) {
        const fn = mustFind(FunctionName, Qualifier || undefined);
        if (fn.urls.some(({ qualifier }) => qualifier === Qualifier)) {
          throw new ServiceException(
            "ResourceConflictException",
            `Failed to create function url config for [functionArn = ${arnOf(findName(FunctionName), Qualifier)}]. Error message: FunctionUrlConfig exists for this Lambda function`,
            409,
          );
        }
        if (Qualifier !== "") mustFindAlias(fn, Qualifier);
        const id = randomUUID().replaceAll("-", "");
        const url: FunctionUrl = {
          id,
          qualifier: Qualifier,
          authType: AuthType,
          invokeMode: InvokeMode,
          cors: Cors,
          createdAt: now(),
        };
        save({ ...fn, urls: [...fn.urls, url] });
        return describeUrl(findName(FunctionName), url);
      },
      GetFunctionUrlConfig: async ({ FunctionName, Qualifier }) =>
        describeUrl(findName(FunctionName), mustFindUrl(mustFind(FunctionName, Qualifier), Qualifier)),
      async UpdateFunctionUrlConfig({ FunctionName, Qualifier, AuthType, InvokeMode, Cors }) {
        const fn = mustFind(FunctionName, Qualifier);
        const url = mustFindUrl(fn, Qualifier);
        const changed: FunctionUrl = {
          ...url,
          authType: AuthType ?? url.authType,
          invokeMode: InvokeMode ?? url.invokeMode,
          cors: Cors ?? url.cors,
        };
        save({ ...fn, urls: fn.urls.map((candidate) => (candidate === url ? changed : candidate)) });
        return describeUrl(findName(FunctionName), changed);
      },
      async DeleteFunctionUrlConfig({ FunctionName, Qualifier }) {
        const fn = mustFind(FunctionName, Qualifier);
        const url = mustFindUrl(fn, Qualifier);
        save({ ...fn, urls: fn.urls.filter((candidate) => candidate !== url) });
        return {};
      },
      async GetFunctionConcurrency({ FunctionName }) {
        mustFind(FunctionName);
        return {};
      },
      ListTags: async ({ Resource }) => ({ Tags: mustFind(Resource).tags }),
      async TagResource({ Resource, Tags }) {
        const fn = mustFind(Resource);
        save({ ...fn, tags: { ...fn.tags, ...Tags } });
        return {};
      },
      async UntagResource({ Resource, tagKeys }) {
        const fn = mustFind(Resource);
        save({
          ...fn,
          tags: Object.fromEntries(
            Object.entries(fn.tags).filter(([key]) => ![tagKeys].flat().includes(key)),
          ),
        });
        return {};
      },
      async Invoke({ FunctionName, Qualifier, InvocationType, LogType, ClientContext, Payload }) {
        const qualifier = Qualifier ?? /:function:[^:]+:([^:]+)$/.exec(FunctionName)?.[1];
        const payload = Buffer.from(Payload || "{}");
        if (InvocationType === "DryRun") {
          const { version } = chooseVersion(mustFind(FunctionName, qualifier), qualifier);
          return { StatusCode: 204, Payload: "", ExecutedVersion: version };
        }
        if (InvocationType === "Event") {
          const { version } = chooseVersion(mustFind(FunctionName, qualifier), qualifier);
          context.keepAlive(invokeWithRetries(() => invoke(FunctionName, qualifier, payload)));
          return { StatusCode: 202, Payload: "", ExecutedVersion: version };
        }
        const outcome = await invoke(FunctionName, qualifier, payload, { clientContext: ClientContext });
        return {
          StatusCode: 200,
          Payload: outcome.payload.toString(),
          ExecutedVersion: outcome.version,
          ...(outcome.functionError && { FunctionError: outcome.functionError }),
          ...(LogType === "Tail" && {
            LogResult: Buffer.from(outcome.log).subarray(-4096).toString("base64"),
          }),
        };
      },
    },
  };
}

interface CodeInput {
  readonly ImageUri?: string;
  readonly S3Bucket?: string;
  readonly S3Key?: string;
  readonly ZipFile?: string;
}

/** The members of a configuration that have an effect here. */
const configurable = [
  "Role",
  "Runtime",
  "Handler",
  "Description",
  "Timeout",
  "MemorySize",
  "Environment",
  "ImageConfig",
  "EphemeralStorage",
  "LoggingConfig",
  "TracingConfig",
] as const;

/** Twice again after a failure. @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html */
async function invokeWithRetries(invoke: () => Promise<{ functionError?: string }>): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const { functionError } = await invoke();
    if (functionError === undefined) return;
  }
}

function notFound(kind: "Function" | "Alias", arn: string): ServiceException {
  const what = kind === "Function" ? "Function not found" : "Cannot find alias arn";
  return new ServiceException("ResourceNotFoundException", `${what}: ${arn}`, 404, { Type: "User" });
}
