import { XMLBuilder } from "fast-xml-parser";
import type { ServiceException } from "../service.ts";

/**
 * The query protocol: forms in, XML out. `Parameters.member.1.ParameterKey=x` becomes
 * `{ Parameters: [{ ParameterKey: "x" }] }`; every leaf is text.
 * @see https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 */
export function parseQueryInput(form: URLSearchParams): Record<string, unknown> {
  const tree: Record<string, unknown> = {};
  for (const [path, text] of form) {
    // An empty list is written like an empty text; at the top neither says anything.
    if (path === "Action" || path === "Version" || (text === "" && !path.includes("."))) continue;
    const words = path.split(".");
    let node = tree;
    for (const word of words.slice(0, -1)) {
      node[word] ??= {};
      node = node[word] as Record<string, unknown>;
    }
    node[words.at(-1) ?? ""] = text;
  }
  return foldLists(tree) as Record<string, unknown>;
}

function foldLists(node: unknown): unknown {
  if (typeof node !== "object" || node === null) return node;
  const { member, entry, ...rest } = node as Record<string, Record<string, unknown> | undefined>;
  const items = member ?? entry;
  if (items !== undefined && Object.keys(rest).length === 0) {
    return Object.entries(items)
      .sort(([a], [b]) => Number(a) - Number(b))
      .map(([, item]) => foldLists(item));
  }
  return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, foldLists(value)]));
}

const builder = new XMLBuilder({ processEntities: true, suppressEmptyNode: false });

export function buildQueryAnswer(operation: string, output: object, requestId: string): string {
  return builder.build({
    [`${operation}Response`]: {
      [`${operation}Result`]: withMembers(output),
      ResponseMetadata: { RequestId: requestId },
    },
  });
}

export function buildQueryError(error: ServiceException, requestId: string): string {
  const Type = error.httpStatus < 500 ? "Sender" : "Receiver";
  return builder.build({
    ErrorResponse: { Error: { Type, Code: error.name, Message: error.message }, RequestId: requestId },
  });
}

function withMembers(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.length === 0 ? "" : { member: value.map(withMembers) };
  if (typeof value !== "object" || value === null) return value;
  const present = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(present.map(([name, member]) => [name, withMembers(member)]));
}
