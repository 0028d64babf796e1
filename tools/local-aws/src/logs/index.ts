import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { type Journal, openJournal } from "../journal/journal.ts";
import { takePage } from "../paging.ts";
import { type Service, type ServiceContext, ServiceException } from "../service.ts";
import { parseFilterPattern } from "./filter-pattern.ts";

interface LogGroup {
  readonly logGroupName: string;
  /** Epoch milliseconds. */
  readonly creationTime: number;
  readonly retentionInDays?: number;
  readonly tags: Readonly<Record<string, string>>;
  /** Name of the file of its events. */
  readonly journal: string;
  readonly streams: readonly { readonly logStreamName: string; readonly creationTime: number }[];
}

interface LogEvent {
  readonly eventId: string;
  readonly logStreamName: string;
  /** Epoch milliseconds. */
  readonly timestamp: number;
  readonly ingestionTime: number;
  readonly message: string;
}

/** How many events of a group are kept, and how many of its streams. */
const keptEvents = 20_000;
const keptStreams = 500;

/** @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const retentions = new Set([
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
]);

/** Log groups with their streams and events. */
export function createService({ store, now, accountId, region }: ServiceContext): Service {
  const prefix = "group ";
  const journals = new Map<string, Journal<LogEvent>>();

  const find = (logGroupName: string) => store.get<LogGroup>(`${prefix}${logGroupName}`);

  function mustFind(logGroupName: string): LogGroup {
    const group = find(logGroupName);
    if (group === undefined) {
      throw new ServiceException("ResourceNotFoundException", "The specified log group does not exist.");
    }
    return group;
  }

  const put = (group: LogGroup) => store.put(`${prefix}${group.logGroupName}`, group);

  function create(logGroupName: string, tags: LogGroup["tags"] = {}): LogGroup {
    const group = { logGroupName, creationTime: now(), tags, journal: randomUUID(), streams: [] };
    put(group);
    return group;
  }

  function eventsOf({ journal }: LogGroup): Journal<LogEvent> {
    const opened =
      journals.get(journal) ??
      openJournal<LogEvent>(join(store.directory, "events", `${journal}.jsonl`), keptEvents);
    journals.set(journal, opened);
    return opened;
  }

  function addStream(group: LogGroup, logStreamName: string): LogGroup {
    const streams = [...group.streams, { logStreamName, creationTime: now() }].slice(-keptStreams);
    const changed = { ...group, streams };
    put(changed);
    return changed;
  }

  const hasStream = ({ streams }: LogGroup, name: string) =>
    streams.some(({ logStreamName }) => logStreamName === name);

  const arnOf = (name: string) => `arn:aws:logs:${region}:${accountId}:log-group:${name}`;
  const nameOf = (identifier: string) => identifier.replace(/^arn:.*:log-group:/, "").replace(/:\*$/, "");

  function describe(group: LogGroup) {
    const { tags: _tags, streams: _streams, journal: _journal, ...described } = group;
    const logGroupArn = arnOf(group.logGroupName);
    return { ...described, arn: `${logGroupArn}:*`, logGroupArn, storedBytes: 0, metricFilterCount: 0 };
  }

  return {
    operations: {
      async CreateLogGroup({ logGroupName, tags }) {
        if (find(logGroupName) !== undefined) {
          throw new ServiceException(
            "ResourceAlreadyExistsException",
            "The specified log group already exists",
          );
        }
        create(logGroupName, tags);
        return {};
      },

      async DeleteLogGroup({ logGroupName }) {
        const group = mustFind(logGroupName);
        eventsOf(group).delete();
        journals.delete(group.journal);
        store.delete(`${prefix}${logGroupName}`);
        return {};
      },

      async DescribeLogGroups({ logGroupNamePrefix = "", limit = 50, nextToken }) {
        const groups = store
          .keys(`${prefix}${logGroupNamePrefix}`)
          .flatMap((key) => store.get<LogGroup>(key) ?? []);
        const page = takePage(groups, limit, nextToken);
        return { logGroups: page.items.map(describe), nextToken: page.nextToken };
      },

      async PutRetentionPolicy({ logGroupName, retentionInDays }) {
        if (!retentions.has(retentionInDays)) {
          throw new ServiceException(
            "InvalidParameterException",
            `1 validation error detected: Value '${retentionInDays}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [${[...retentions].join(", ")}]`,
          );
        }
        put({ ...mustFind(logGroupName), retentionInDays });
        return {};
      },

      async DeleteRetentionPolicy({ logGroupName }) {
        put({ ...mustFind(logGroupName), retentionInDays: undefined });
        return {};
      },

      async TagResource({ resourceArn, tags }) {
        const group = mustFind(nameOf(resourceArn));
        put({ ...group, tags: { ...group.tags, ...tags } });
        return {};
      },

      async UntagResource({ resourceArn, tagKeys }) {
        const group = mustFind(nameOf(resourceArn));
        const kept = Object.entries(group.tags).filter(([key]) => !tagKeys.includes(key));
        put({ ...group, tags: Object.fromEntries(kept) });
        return {};
      },

      ListTagsForResource: async ({ resourceArn }) => ({ tags: mustFind(nameOf(resourceArn)).tags }),

      async CreateLogStream({ logGroupName, logStreamName }) {
        const group = mustFind(logGroupName);
        if (hasStream(group, logStreamName)) {
          throw new ServiceException(
            "ResourceAlreadyExistsException",
            "The specified log stream already exists",
          );
        }
        addStream(group, logStreamName);
        return {};
      },

      /** Makes the group and the stream where there are none, as Lambda does. */
      async PutLogEvents({ logGroupName, logStreamName, logEvents }) {
        const found = find(logGroupName) ?? create(logGroupName);
        const group = hasStream(found, logStreamName) ? found : addStream(found, logStreamName);
        const added = (logEvents as { timestamp: number; message: string }[]).map(
          ({ timestamp, message }) => ({
            eventId: randomUUID(),
            logStreamName,
            timestamp,
            ingestionTime: now(),
            message,
          }),
        );
        eventsOf(group).append(added);
        return { nextSequenceToken: "0" };
      },

      async DescribeLogStreams({
        logGroupName,
        logGroupIdentifier,
        logStreamNamePrefix = "",
        descending = false,
        orderBy = "LogStreamName",
        limit = 50,
        nextToken,
      }) {
        const group = mustFind(logGroupName ?? nameOf(logGroupIdentifier));
        const { entries } = eventsOf(group);
        const described = group.streams
          .filter(({ logStreamName }) => logStreamName.startsWith(logStreamNamePrefix))
          .map((stream) => {
            const own = entries.filter(({ logStreamName }) => logStreamName === stream.logStreamName);
            return {
              ...stream,
              arn: `${arnOf(group.logGroupName)}:log-stream:${stream.logStreamName}`,
              firstEventTimestamp: own[0]?.timestamp,
              lastEventTimestamp: own.at(-1)?.timestamp,
              lastIngestionTime: own.at(-1)?.ingestionTime,
            };
          })
          .sort((a, b) =>
            orderBy === "LastEventTime"
              ? (a.lastEventTimestamp ?? 0) - (b.lastEventTimestamp ?? 0)
              : a.logStreamName.localeCompare(b.logStreamName),
          );
        const page = takePage(descending ? described.reverse() : described, limit, nextToken);
        return { logStreams: page.items, nextToken: page.nextToken };
      },

      /** From the beginning with `startFromHead`, and with the token onwards; else the last events. */
      async GetLogEvents({
        logGroupName,
        logGroupIdentifier,
        logStreamName,
        startTime = 0,
        endTime = Number.POSITIVE_INFINITY,
        startFromHead = false,
        limit = 10_000,
        nextToken,
      }) {
        const group = mustFind(logGroupName ?? nameOf(logGroupIdentifier));
        if (!hasStream(group, logStreamName)) {
          throw new ServiceException("ResourceNotFoundException", "The specified log stream does not exist.");
        }
        const all = eventsOf(group).entries.filter(
          (event) =>
            event.logStreamName === logStreamName &&
            event.timestamp >= startTime &&
            event.timestamp < endTime,
        );
        const fromHead = startFromHead ? 0 : Math.max(0, all.length - limit);
        const start = nextToken === undefined ? fromHead : Number(nextToken.slice("f/".length));
        const events = all.slice(start, start + limit);
        return {
          events: events.map(({ timestamp, ingestionTime, message }) => ({
            timestamp,
            ingestionTime,
            message,
          })),
          nextForwardToken: `f/${start + events.length}`,
          nextBackwardToken: `b/${start}`,
        };
      },

      async FilterLogEvents({
        logGroupName,
        logGroupIdentifier,
        logStreamNames,
        logStreamNamePrefix = "",
        startTime = 0,
        endTime = Number.POSITIVE_INFINITY,
        filterPattern = "",
        limit = 10_000,
        nextToken,
      }) {
        const group = mustFind(logGroupName ?? nameOf(logGroupIdentifier));
        const isWanted = parseFilterPattern(filterPattern);
        const matching = eventsOf(group)
          .entries.filter(
            ({ logStreamName, timestamp, message }) =>
              (logStreamNames?.includes(logStreamName) ?? logStreamName.startsWith(logStreamNamePrefix)) &&
              timestamp >= startTime &&
              timestamp <= endTime &&
              isWanted(message),
          )
          .sort((a, b) => a.timestamp - b.timestamp);
        const page = takePage(matching, limit, nextToken);
        return { events: page.items, searchedLogStreams: [], nextToken: page.nextToken };
      },
    },
  };
}
