import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CodedError } from "@workspace/shared-config";

/** Where a function's smoke event is, if it has one. */
export function smokeEventPath(workspaceRoot: string, project: string): string {
  return join(workspaceRoot, "apps", project, "smoke-event.json");
}

/** JSON text; `undefined` where there is no such file. @throws CodedError `E_EVENT_UNREADABLE`, `E_EVENT_MALFORMED` */
export async function findEvent(path: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    if (error.code === "ENOENT") return undefined;
    throw new CodedError({
      code: "E_EVENT_UNREADABLE",
      what: "the event can't be read",
      value: path,
      remedy: "Put a JSON file there that can be read, or name another.",
      cause: error,
    });
  }
  try {
    JSON.parse(text);
    return text;
  } catch (error) {
    throw new CodedError({
      code: "E_EVENT_MALFORMED",
      what: `the event in ${path} is not JSON`,
      value: text.slice(0, 200),
      remedy: "Write one JSON document into it.",
      cause: error,
    });
  }
}
