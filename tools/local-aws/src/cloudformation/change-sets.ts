import { ServiceException } from "../service.ts";
import type { Store } from "../store.ts";
import type { ResourceChange } from "./changes.ts";
import type { Operation, Parameters, Stacks } from "./stack.ts";

export interface ChangeSet {
  readonly id: string;
  readonly name: string;
  readonly stackId: string;
  readonly status: "CREATE_COMPLETE" | "FAILED";
  readonly statusReason?: string;
  readonly executionStatus: "AVAILABLE" | "UNAVAILABLE" | "EXECUTE_COMPLETE";
  readonly template: string;
  readonly parameters: Parameters;
  readonly tags: readonly object[];
  readonly capabilities: readonly string[];
  readonly roleArn?: string;
  readonly changes: readonly ResourceChange[];
  readonly onStackFailure?: Operation["onFailure"];
  readonly createdAt: number;
}

/** Change sets on disk, each by its id, and by its name and stack. */
export function openChangeSets(store: Store, stacks: Stacks) {
  function find(reference: string, stackName: string | undefined): ChangeSet | undefined {
    const stackId = stackName === undefined ? undefined : stacks.find(stackName)?.id;
    const id = reference.startsWith("arn:")
      ? reference
      : store.get<string>(`change set name ${stackId} ${reference}`);
    return store.get<ChangeSet>(`change set ${id}`);
  }

  return {
    find,
    mustFind(reference: string, stackName?: string): ChangeSet {
      const found = find(reference, stackName);
      if (found !== undefined) return found;
      throw new ServiceException("ChangeSetNotFound", `ChangeSet [${reference}] does not exist`, 404);
    },
    listOf: (stackId: string): ChangeSet[] =>
      store
        .keys(`change set name ${stackId} `)
        .flatMap((key) => store.get<ChangeSet>(`change set ${store.get<string>(key)}`) ?? []),
    save(changeSet: ChangeSet): void {
      store.put(`change set ${changeSet.id}`, changeSet);
      store.put(`change set name ${changeSet.stackId} ${changeSet.name}`, changeSet.id);
    },
    delete({ id, stackId, name }: ChangeSet): void {
      store.delete(`change set ${id}`);
      store.delete(`change set name ${stackId} ${name}`);
    },
  };
}

export type ChangeSets = ReturnType<typeof openChangeSets>;
