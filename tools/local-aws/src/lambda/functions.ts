import type { ServiceContext } from "../service.ts";
import { notFound } from "./errors.ts";
import type { Alias, LambdaFunction, Version } from "./model.ts";

/** A function as a request names it: by name or ARN, with a version or alias after it or beside it. */
export interface Reference {
  readonly name: string;
  /** A version, an alias or `$LATEST`; absent where the request names none. */
  readonly qualifier?: string;
}

export type Functions = ReturnType<typeof openFunctions>;

/** The functions on disk, and how requests and answers name them. */
export function openFunctions({ store, accountId, region }: ServiceContext) {
  const prefix = "function ";
  const find = (name: string) => store.get<LambdaFunction>(`${prefix}${name}`);

  function arnOf(name: string, qualifier?: string): string {
    const arn = `arn:aws:lambda:${region}:${accountId}:function:${name}`;
    return qualifier === undefined ? arn : `${arn}:${qualifier}`;
  }

  return {
    arnOf,
    find,
    list: () => store.keys(prefix).flatMap((key) => store.get<LambdaFunction>(key) ?? []),
    put: (fn: LambdaFunction) => store.put(`${prefix}${nameOf(fn)}`, fn),
    delete: (name: string) => store.delete(`${prefix}${name}`),

    mustFind({ name, qualifier }: Reference): LambdaFunction {
      const fn = find(name);
      if (fn === undefined) throw notFound(`Function not found: ${arnOf(name, qualifier)}`);
      return fn;
    },

    /** @param qualifier a version, an alias, or absent for `$LATEST` */
    mustFindVersion(fn: LambdaFunction, qualifier: string | undefined): Version {
      const version = findVersion(fn, findAlias(fn, qualifier)?.FunctionVersion ?? qualifier);
      if (version === undefined) throw notFound(`Function not found: ${arnOf(nameOf(fn), qualifier)}`);
      return version;
    },

    mustFindAlias(fn: LambdaFunction, name: string): Alias {
      const alias = findAlias(fn, name);
      if (alias === undefined) throw notFound(`Cannot find alias arn: ${arnOf(nameOf(fn), name)}`);
      return alias;
    },
  };
}

export function nameOf({ latest }: LambdaFunction): string {
  return latest.runnable.configuration.FunctionName;
}

export function findVersion(fn: LambdaFunction, version = "$LATEST"): Version | undefined {
  return version === "$LATEST" ? fn.latest : fn.published.find((candidate) => candidate.version === version);
}

export function findAlias({ aliases }: LambdaFunction, name = ""): Alias | undefined {
  return Object.hasOwn(aliases, name) ? aliases[name] : undefined;
}

const referencePattern =
  /^(?:arn:aws:lambda:[^:]*:[^:]*:function:|\d{12}:function:)?(?<name>[^:]+)(?::(?<qualifier>[^:]+))?$/;

/** @param qualifier as the request gives it beside the name; it counts more */
export function parseReference(text: string, qualifier?: string): Reference {
  const { name, qualifier: own } = referencePattern.exec(text)?.groups ?? {};
  if (name === undefined) throw notFound(`Function not found: ${text}`);
  return { name, qualifier: qualifier ?? own };
}
