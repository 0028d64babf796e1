/**
 * Names the Node builtins that apps use, without loading one: what a compiled executable names, it carries as bytecode,
 * and an app that needs it starts in half the time. It must be reachable for the compiler, and never be called.
 */
export function embedBuiltins(): void {
  void import("node:assert");
  void import("node:async_hooks");
  void import("node:buffer");
  void import("node:child_process");
  void import("node:crypto");
  void import("node:diagnostics_channel");
  void import("node:dns");
  void import("node:dns/promises");
  void import("node:events");
  void import("node:fs");
  void import("node:fs/promises");
  void import("node:http");
  void import("node:http2");
  void import("node:https");
  void import("node:module");
  void import("node:net");
  void import("node:os");
  void import("node:path");
  void import("node:perf_hooks");
  void import("node:process");
  void import("node:querystring");
  void import("node:readline");
  void import("node:stream");
  void import("node:stream/promises");
  void import("node:stream/web");
  void import("node:string_decoder");
  void import("node:timers");
  void import("node:timers/promises");
  void import("node:tls");
  void import("node:url");
  void import("node:util");
  void import("node:util/types");
  void import("node:worker_threads");
  void import("node:zlib");
}
