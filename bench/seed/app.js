'use strict';

// An Express API as it is run under PM2 today: a Redis cache and a Redis rate limit as middleware,
// in each process. Without REDIS_PORT it has neither, with NO_LIMIT only the cache. With METRICS it
// counts its requests.

const express = require('express');

const LIST_TTL = 600; // seconds
const DATABASE_DELAY = 20; // milliseconds

const vendors = ['Northwind', 'Acme', 'Globex', 'Initech', 'Umbrella', 'Hooli'];
const services = Array.from({ length: 19 }, (_, i) => ({
  id: `svc-${String(i + 1).padStart(3, '0')}`, name: `Service number ${i + 1}`,
  vendor: vendors[(i + 1) % vendors.length], price: 1937 + 37 * i, currency: 'EUR',
  rating: 30 + ((i + 1) % 20), active: (i + 1) % 7 !== 0,
}));

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Answers of GET come from Redis when they are there, and are put there when they are not. A Redis
// that fails costs the cache, not the answer.
function cache(redis, ttl) {
  return async (req, res, next) => {
    if (req.method !== 'GET' || req.headers.authorization) return next();
    const key = `cache:${req.originalUrl}`;
    res.set('X-Cache-Key', key);
    try {
      const hit = await redis.get(key);
      if (hit !== null) return res.set('X-Cache', 'HIT').json(JSON.parse(hit));
    } catch (error) {
      console.error(`cache: ${error.message}`);
    }
    res.set('X-Cache', 'MISS');
    const json = res.json.bind(res);
    res.json = (value) => {
      if (res.statusCode >= 200 && res.statusCode < 300) {
        redis.setex(key, ttl, JSON.stringify(value))
          .catch((error) => console.error(`cache: ${error.message}`));
      }
      return json(value);
    };
    next();
  };
}

// The general limit, counted in Redis for every request; high enough that a benchmark meets it
// never.
function limiter(redis) {
  const { rateLimit } = require('express-rate-limit');
  const { RedisStore } = require('rate-limit-redis');
  return rateLimit({
    windowMs: 15 * 60 * 1000, limit: 1e9, standardHeaders: true, legacyHeaders: false,
    store: new RedisStore({ sendCommand: (...args) => redis.call(...args) }),
  });
}

// Counts and times every request by route, and has a page of it. In a cluster each process has its
// own numbers, and a scrape gets those of whichever answers.
function metrics(server) {
  const client = require('prom-client');
  client.collectDefaultMetrics();
  const seconds = new client.Histogram({
    name: 'http_request_duration_seconds', help: 'HTTP request duration in seconds',
    labelNames: ['route', 'method', 'code'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  });
  const total = new client.Counter({
    name: 'http_requests_total', help: 'Total number of HTTP requests',
  });
  server.use((req, res, next) => {
    const end = seconds.startTimer();
    res.on('finish', () => {
      end({ route: req.route ? req.route.path : 'unmatched', method: req.method,
        code: res.statusCode });
      total.inc();
    });
    next();
  });
  server.get('/metrics', async (req, res) => {
    res.set('Content-Type', client.register.contentType).end(await client.register.metrics());
  });
}

const app = express();
if (process.env.METRICS) metrics(app);
app.get('/healthz', (req, res) => res.json({ status: 'ok' }));
if (process.env.REDIS_PORT) {
  const Redis = require('ioredis');
  const redis = new Redis({ host: '127.0.0.1', port: Number(process.env.REDIS_PORT) });
  redis.on('error', (error) => console.error(`redis: ${error.message}`));
  if (!process.env.NO_LIMIT) app.use(limiter(redis));
  app.use(cache(redis, LIST_TTL));
}
app.get('/api/services', async (req, res) => {
  await sleep(DATABASE_DELAY);
  res.json({ services, count: services.length });
});

const server = app.listen(process.env.PORT, process.env.HOST || '127.0.0.1');
process.on('SIGTERM', () => server.close(() => process.exit(0)));
