import { type Service, type ServiceContext, ServiceException } from "../service.ts";

interface LogGroup {
  readonly logGroupName: string;
  readonly creationTime: number;
  readonly retentionInDays?: number;
  readonly tags: Readonly<Record<string, string>>;
}

interface LogEvent {
  readonly timestamp: number;
  readonly message: string;
}

/** How many events of a stream are kept. */
const keptEvents = 5000;

/** Log groups with their streams. Events stay in memory until a moment after they came. */
export function createService({ store, now, accountId, region }: ServiceContext): Service {
  const streams = new Map<string, LogEvent[]>();
  const streamKey = (group: string, stream: string) => `events ${group} ${stream}`;
  const dirty = new Set<string>();
  const flush = () => {
    for (const key of dirty) store.put(key, streams.get(key));
    dirty.clear();
  };
  const flushing = setInterval(flush, 250);
  flushing.unref();

  function eventsOf(key: string): LogEvent[] {
    const events = streams.get(key) ?? store.get<LogEvent[]>(key) ?? [];
    streams.set(key, events);
    return events;
  }

  function mustFind(logGroupName: string): LogGroup {
    const group = store.get<LogGroup>(`group ${logGroupName}`);
    if (group === undefined) {
      throw new ServiceException("ResourceNotFoundException", "The specified log group does not exist.");
    }
    return group;
  }

  const keysOf = (group: string) => {
    const prefix = `events ${group} `;
    return [
      ...new Set([...store.keys(prefix), ...[...streams.keys()].filter((key) => key.startsWith(prefix))]),
    ].sort();
  };
  const arnOf = (group: string) => `arn:aws:logs:${region}:${accountId}:log-group:${group}`;
  const nameOf = (arn: string) => arn.replace(/^.*:log-group:/, "").replace(/:\*$/, "");

  function create(logGroupName: string, tags = {}): void {
    store.put(`group ${logGroupName}`, { logGroupName, creationTime: now(), tags });
  }

  return {
    stop: async () => {
      clearInterval(flushing);
      flush();
    },
    operations: {
      async CreateLogGroup({ logGroupName, tags }) {
        if (store.get(`group ${logGroupName}`) !== undefined) {
          throw new ServiceException(
            "ResourceAlreadyExistsException",
            "The specified log group already exists",
          );
        }
        create(logGroupName, tags);
        return {};
      },
      async DeleteLogGroup({ logGroupName }) {
        mustFind(logGroupName);
        for (const key of keysOf(logGroupName)) {
          streams.delete(key);
          store.delete(key);
        }
        store.delete(`group ${logGroupName}`);
        return {};
      },
      async DescribeLogGroups({ logGroupNamePrefix = "" }) {
        return {
          logGroups: store.keys(`group ${logGroupNamePrefix}`).map((key) => {
            const { tags: _tags, ...group } = store.get<LogGroup>(key) as LogGroup;
            return {
              ...group,
              arn: `${arnOf(group.logGroupName)}:*`,
              logGroupArn: arnOf(group.logGroupName),
            };
          }),
        };
      },
      async PutRetentionPolicy({ logGroupName, retentionInDays }) {
        store.put(`group ${logGroupName}`, { ...mustFind(logGroupName), retentionInDays });
        return {};
      },
      async DeleteRetentionPolicy({ logGroupName }) {
        store.put(`group ${logGroupName}`, { ...mustFind(logGroupName), retentionInDays: undefined });
        return {};
      },
      async TagResource({ resourceArn, tags }) {
        const group = mustFind(nameOf(resourceArn));
        store.put(`group ${group.logGroupName}`, { ...group, tags: { ...group.tags, ...tags } });
        return {};
      },
      async ListTagsForResource({ resourceArn }) {
        return { tags: mustFind(nameOf(resourceArn)).tags };
      },
      async CreateLogStream({ logGroupName, logStreamName }) {
        mustFind(logGroupName);
        eventsOf(streamKey(logGroupName, logStreamName));
        return {};
      },
      /** As Lambda does, which makes the group where there is none. */
      async PutLogEvents({ logGroupName, logStreamName, logEvents }) {
        if (store.get(`group ${logGroupName}`) === undefined) create(logGroupName);
        const key = streamKey(logGroupName, logStreamName);
        const events = eventsOf(key);
        events.push(...logEvents);
        events.splice(0, Math.max(0, events.length - keptEvents));
        dirty.add(key);
        return {};
      },
      async DescribeLogStreams({ logGroupName }) {
        mustFind(logGroupName);
        const logStreams = keysOf(logGroupName).map((key) => ({
          logStreamName: key.split(" ").at(-1),
          firstEventTimestamp: eventsOf(key)[0]?.timestamp,
          lastEventTimestamp: eventsOf(key).at(-1)?.timestamp,
        }));
        return { logStreams };
      },
      async GetLogEvents({ logGroupName, logStreamName }) {
        mustFind(logGroupName);
        return { events: eventsOf(streamKey(logGroupName, logStreamName)) };
      },
      async FilterLogEvents({
        logGroupName,
        logGroupIdentifier,
        startTime = 0,
        endTime = Infinity,
        filterPattern = "",
        limit = 10000,
        nextToken = "0",
      }) {
        const name = logGroupName ?? nameOf(logGroupIdentifier);
        mustFind(name);
        const all = keysOf(name).flatMap((key) =>
          eventsOf(key).map((event, index) => ({
            ...event,
            logStreamName: key.split(" ").at(-1),
            ingestionTime: event.timestamp,
            eventId: `${key}:${index}`,
          })),
        );
        const wanted = filterPattern.replaceAll('"', "");
        const matching = all
          .filter(
            ({ timestamp, message }) =>
              timestamp >= startTime && timestamp < endTime && message.includes(wanted),
          )
          .sort((a, b) => a.timestamp - b.timestamp);
        const from = Number(nextToken);
        const events = matching.slice(from, from + limit);
        const more = from + events.length < matching.length;
        return { events, ...(more && { nextToken: String(from + events.length) }) };
      },
    },
  };
}
