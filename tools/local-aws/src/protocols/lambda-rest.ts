import type { IncomingMessage } from "node:http";
import { ServiceException } from "../service.ts";

interface Binding {
  readonly method: string;
  /** Path after the API's date; `{Name}` takes one segment. */
  readonly path: string;
  readonly operation: string;
  /** @default 200 */
  readonly status?: number;
  readonly query?: readonly string[];
}

/** @see https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html */
const bindings: readonly Binding[] = [
  { method: "POST", path: "/functions", operation: "CreateFunction", status: 201 },
  { method: "GET", path: "/functions", operation: "ListFunctions", query: ["Marker", "MaxItems"] },
  { method: "GET", path: "/functions/{FunctionName}", operation: "GetFunction", query: ["Qualifier"] },
  {
    method: "DELETE",
    path: "/functions/{FunctionName}",
    operation: "DeleteFunction",
    status: 204,
    query: ["Qualifier"],
  },
  {
    method: "GET",
    path: "/functions/{FunctionName}/configuration",
    operation: "GetFunctionConfiguration",
    query: ["Qualifier"],
  },
  {
    method: "PUT",
    path: "/functions/{FunctionName}/configuration",
    operation: "UpdateFunctionConfiguration",
  },
  { method: "PUT", path: "/functions/{FunctionName}/code", operation: "UpdateFunctionCode" },
  { method: "POST", path: "/functions/{FunctionName}/versions", operation: "PublishVersion", status: 201 },
  {
    method: "GET",
    path: "/functions/{FunctionName}/versions",
    operation: "ListVersionsByFunction",
    query: ["Marker", "MaxItems"],
  },
  { method: "POST", path: "/functions/{FunctionName}/aliases", operation: "CreateAlias", status: 201 },
  {
    method: "GET",
    path: "/functions/{FunctionName}/aliases",
    operation: "ListAliases",
    query: ["Marker", "MaxItems", "FunctionVersion"],
  },
  { method: "GET", path: "/functions/{FunctionName}/aliases/{Name}", operation: "GetAlias" },
  { method: "PUT", path: "/functions/{FunctionName}/aliases/{Name}", operation: "UpdateAlias" },
  {
    method: "DELETE",
    path: "/functions/{FunctionName}/aliases/{Name}",
    operation: "DeleteAlias",
    status: 204,
  },
  {
    method: "POST",
    path: "/functions/{FunctionName}/policy",
    operation: "AddPermission",
    status: 201,
    query: ["Qualifier"],
  },
  { method: "GET", path: "/functions/{FunctionName}/policy", operation: "GetPolicy", query: ["Qualifier"] },
  {
    method: "DELETE",
    path: "/functions/{FunctionName}/policy/{StatementId}",
    operation: "RemovePermission",
    status: 204,
    query: ["Qualifier"],
  },
  {
    method: "POST",
    path: "/functions/{FunctionName}/url",
    operation: "CreateFunctionUrlConfig",
    status: 201,
    query: ["Qualifier"],
  },
  {
    method: "GET",
    path: "/functions/{FunctionName}/url",
    operation: "GetFunctionUrlConfig",
    query: ["Qualifier"],
  },
  {
    method: "PUT",
    path: "/functions/{FunctionName}/url",
    operation: "UpdateFunctionUrlConfig",
    query: ["Qualifier"],
  },
  {
    method: "DELETE",
    path: "/functions/{FunctionName}/url",
    operation: "DeleteFunctionUrlConfig",
    status: 204,
    query: ["Qualifier"],
  },
  { method: "GET", path: "/functions/{FunctionName}/concurrency", operation: "GetFunctionConcurrency" },
  { method: "GET", path: "/tags/{Resource}", operation: "ListTags" },
  { method: "POST", path: "/tags/{Resource}", operation: "TagResource", status: 204 },
  { method: "DELETE", path: "/tags/{Resource}", operation: "UntagResource", status: 204, query: ["tagKeys"] },
];

export interface LambdaCall {
  readonly operation: string;
  readonly input: object;
  readonly status: number;
}

/** @throws ServiceException for a path that no operation here has */
export function findLambdaOperation(request: IncomingMessage, url: URL, body: Buffer): LambdaCall {
  const path = url.pathname.replace(/^\/\d{4}-\d\d-\d\d/, "").replace(/\/$/, "");
  const invocation = matchPath("/functions/{FunctionName}/invocations", path);
  if (request.method === "POST" && invocation !== undefined) {
    const { headers } = request;
    const input = {
      ...invocation,
      Qualifier: url.searchParams.get("Qualifier") ?? undefined,
      InvocationType: headers["x-amz-invocation-type"] ?? "RequestResponse",
      LogType: headers["x-amz-log-type"] ?? "None",
      ClientContext: headers["x-amz-client-context"],
      Payload: body.toString(),
    };
    return { operation: "Invoke", input, status: 200 };
  }
  for (const { method, path: pattern, operation, status = 200, query = [] } of bindings) {
    const labels = request.method === method ? matchPath(pattern, path) : undefined;
    if (labels === undefined) continue;
    const members = query.flatMap((name) => {
      const value = url.searchParams.get(name);
      return value === null ? [] : [[name, value] as const];
    });
    const json = body.length === 0 ? {} : JSON.parse(body.toString());
    return { operation, input: { ...json, ...Object.fromEntries(members), ...labels }, status };
  }
  throw new ServiceException(
    "UnknownOperationException",
    `local-aws: lambda has no ${request.method} ${path}`,
    501,
  );
}

function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const names = pattern.split("/");
  const values = path.split("/");
  if (names.length !== values.length) return undefined;
  const labels: Record<string, string> = {};
  for (const [index, name] of names.entries()) {
    const value = decodeURIComponent(values[index] ?? "");
    if (name.startsWith("{")) labels[name.slice(1, -1)] = value;
    else if (name !== value) return undefined;
  }
  return labels;
}
