import { describe, expect, it } from "vitest";
import { findEffective, findHolder, findValidEntry, type LeaseEntry } from "./lease-log.ts";

const self = { user: "ann", host: "laptop", pid: 7, instance: "" };

function held(basedOn: number, nonce: string): LeaseEntry {
  const holder = { ...self, nonce, command: "release", since: "2026-01-01T00:00:00.000Z", ttlMs: 45_000 };
  return { kind: "held", basedOn, holder };
}
const free = (basedOn: number): LeaseEntry => ({ kind: "free", basedOn, nonce: "f", by: self });
const at = (version: number, entry: LeaseEntry) => ({ version, value: JSON.stringify(entry) });

describe("findValidEntry", () => {
  it("takes an entry that was written after the version just before its own", () => {
    expect(findValidEntry(at(1, held(0, "a")), "/lease")).toEqual(held(0, "a"));
    expect(findValidEntry(at(8, free(7)), "/lease")).toEqual(free(7));
  });

  it.each([5, 7, 8])("takes none at version 7 that says %d", (basedOn) => {
    expect(findValidEntry(at(7, held(basedOn, "a")), "/lease")).toBeUndefined();
  });

  it.each(["", "free", "{}", "[]", '{"kind":"held","basedOn":0}', '{"kind":"held","basedOn":-1}'])(
    "refuses %j, names the parameter, and says how to get rid of it",
    (value) => {
      const find = () => findValidEntry({ version: 1, value }, "/lambda-app/dev/lease");
      expect(find).toThrow(expect.objectContaining({ code: "E_LEASE_MALFORMED", value }));
      expect(find).toThrow("/lambda-app/dev/lease");
      expect(find).toThrow("unlock");
    },
  );
});

describe("findEffective", () => {
  it("is the last entry that won its race, in whichever order they come", () => {
    const history = [at(1, held(0, "a")), at(2, free(1)), at(3, held(2, "b")), at(4, held(2, "c"))];
    expect(findEffective(history)).toEqual({ entry: held(2, "b"), version: 3 });
    expect(findEffective(history.toReversed())).toEqual({ entry: held(2, "b"), version: 3 });
  });

  it("passes over what nobody can read", () => {
    expect(findEffective([at(1, held(0, "a")), { version: 2, value: "?" }])?.version).toBe(1);
  });

  it("is none where every entry lost, as after a deletion by hand", () => {
    expect(findEffective([at(1, held(6, "a"))])).toBeUndefined();
    expect(findEffective([])).toBeUndefined();
  });
});

it("findHolder is nobody where the lease is free or there is none", () => {
  expect(findHolder({ newestVersion: 2, effective: { entry: held(0, "a"), version: 1 } })?.nonce).toBe("a");
  expect(findHolder({ newestVersion: 2, effective: { entry: free(1), version: 2 } })).toBeUndefined();
  expect(findHolder({ newestVersion: 2, effective: undefined })).toBeUndefined();
});
