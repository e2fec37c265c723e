import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fields, GET, Peer, Recorder } from "../testing/http2-peer.ts";
import { OpenStream } from "./open-stream.ts";
import type { Session } from "./session.ts";
import { StreamTable } from "./stream-table.ts";

test("property: as a Map", () => {
  const session = new Peer("client").session as Session;
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(60)), { maxLength: 200 }), (steps) => {
      const table = new StreamTable();
      const map = new Map<number, OpenStream>();
      for (const [add, n] of steps) {
        const id = 2 * n + 1;
        const known = map.get(id);
        expect(table.get(id)).toBe(known);
        if (add && known === undefined) {
          const stream = new OpenStream(session, id, 0, 0);
          table.add(stream);
          map.set(id, stream);
        } else if (!add && known !== undefined) {
          table.delete(known);
          map.delete(id);
        }
      }
      expect(table.size).toBe(map.size);
      expect(new Set(table.all())).toEqual(new Set(map.values()));
      for (let id = 1; id < 123; id += 2) expect(table.get(id)).toBe(map.get(id));
    }),
  );
});

test("streams far apart", () => {
  const peer = new Peer("client");
  const first = peer.session.open(fields(GET), false, new Recorder());
  for (let i = 0; i < 200; i++) peer.session.open(fields(GET), false, new Recorder())?.reset(8);
  const last = peer.session.open(fields(GET), false, new Recorder());
  peer.frames();
  peer.say(peer.headers(1, [[":status", "200"]]), peer.headers(last?.id ?? 0, [[":status", "200"]]));
  expect([first?.remoteEnded, last?.remoteEnded, peer.session.activeStreams]).toEqual([true, true, 2]);
});
