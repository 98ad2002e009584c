// What an app does with ioredis, on a server: node smoke.js <its socket>. Prints every reply, a line
// each.
const Redis = require('ioredis');

const commands = [
  ['set', 'a', '1'], ['get', 'a'], ['get', 'none'], ['set', 'a', '2', 'NX'], ['setnx', 'b', 'x'],
  ['set', 'a', '3', 'EX', 100, 'GET'], ['incr', 'a'], ['incrby', 'a', 10], ['decr', 'a'],
  ['incrbyfloat', 'a', '0.5'], ['incr', 'b'], ['mset', 'c', 'v', 'd', 'w'],
  ['mget', 'c', 'none', 'd'], ['msetnx', 'd', 'x', 'e', 'y'], ['append', 'c', 'äöü'],
  ['strlen', 'c'], ['exists', 'a', 'b', 'none'], ['expire', 'c', 100], ['ttl', 'c'], ['ttl', 'd'],
  ['ttl', 'none'], ['persist', 'c'], ['setex', 'f', 100, 'v'], ['psetex', 'f', 100000, 'w'],
  ['getex', 'f', 'PERSIST'], ['getdel', 'f'], ['getset', 'd', 'z'], ['type', 'd'], ['type', 'none'],
  ['rename', 'd', 'g'], ['rename', 'd', 'g'], ['touch', 'g', 'none'], ['dbsize'], ['ping'],
  ['echo', 'hello'], ['del', 'a', 'none'], ['unlink', 'b', 'c'], ['keys', '*'],
  ['set', 'a'], ['nonsense', 'x'], ['flushdb'],
  ['dbsize'],
];

// Cursors are a server's own business: only what they lead to is compared.
async function scan(redis, pattern) {
  const found = [];
  for await (const keys of redis.scanStream({ match: pattern, count: 10 })) found.push(...keys);
  return found.sort();
}

async function main() {
  const redis = new Redis({ path: process.argv[2], maxRetriesPerRequest: 1 });
  const say = (reply) => console.log(JSON.stringify(reply));
  for (const command of commands) {
    say(await redis.call(...command.map(String)).catch((error) => error.message));
  }
  await redis.mset(...Array.from({ length: 200 }, (_, i) => [`s:${i}`, i]).flat());
  say(await scan(redis, 's:1*'));
  say(await redis.flushdb());
  const pipeline = redis.pipeline();
  for (const command of commands) pipeline.call(...command.map(String));
  for (const [error, reply] of await pipeline.exec()) say(error ? error.message : reply);
  await redis.quit();
}

main();
