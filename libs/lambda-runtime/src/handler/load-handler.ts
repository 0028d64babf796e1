import { EngineError } from "../runtime-api/runtime-error.ts";
import { isHandler } from "./adapt-handler.ts";

/**
 * Loads what `_HANDLER` names: file and export, `app.handler`, `folder/app.nested.handler`. Where the file has no such
 * export, its default export counts, so that one name fits functions and Web-standard apps.
 *
 * @param taskRoot absolute path of the folder with the app's code
 * @throws EngineError `Runtime.MalformedHandlerName`, `Runtime.ImportModuleError`, `Runtime.UserCodeSyntaxError`,
 * `Runtime.HandlerNotFound`; and whatever the app's code throws while it is loaded
 */
export async function loadHandler(taskRoot: string, name: string): Promise<unknown> {
  const { path, exportPath } = parseHandlerName(name);
  const file = `${taskRoot}/${path}.js`;
  const loaded = await importApp(file);
  const named = findExport(loaded, exportPath) ?? undefined;
  if (named !== undefined) return named;
  // Without a default export, this is the object of all exports.
  if (isHandler(loaded.default)) return loaded.default;
  const names = Object.keys(loaded)
    .filter((key) => key !== "default")
    .join(", ");
  throw new EngineError(
    "Runtime.HandlerNotFound",
    `${name} is undefined or not exported, and no default export is a handler: ${file} exports ${names || "nothing"}`,
  );
}

function parseHandlerName(name: string): { path: string; exportPath: string[] } {
  // The first dot of the last part of the path, where something stands before it.
  const dot = name.indexOf(".", name.lastIndexOf("/") + 2);
  const hasBoth = dot > 0 && dot < name.length - 1;
  if (!hasBoth || name.includes("..") || name.startsWith("/")) {
    throw new EngineError(
      "Runtime.MalformedHandlerName",
      `_HANDLER is not FILE.EXPORT: ${JSON.stringify(name)}; the image's CMD or the function's configuration sets it`,
    );
  }
  return { path: name.slice(0, dot), exportPath: name.slice(dot + 1).split(".") };
}

/** Not by require: Bun compiles that function when it is first called. */
async function importApp(file: string): Promise<Record<string, unknown>> {
  try {
    return await import(file);
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new EngineError("Runtime.UserCodeSyntaxError", `${file}: ${error.message}`, { cause: error });
    }
    if (isModuleMissing(error)) {
      throw new EngineError("Runtime.ImportModuleError", error.message, { cause: error });
    }
    throw error;
  }
}

function isModuleMissing(error: unknown): error is Error {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND";
}

function findExport(loaded: unknown, path: readonly string[]): unknown {
  let value = loaded;
  for (const key of path) value = value === null || value === undefined ? undefined : Object(value)[key];
  return value;
}
