// caf.cpp - the bench's workloads on event-based actors of CAF 0.17.
//
// Variant: words of 3ints, 64B, idle; `credit` lets producers send only what they were given credit
// for, as ours do; without it they send as fast as they can.
#include <algorithm>
#include <caf/all.hpp>
#include <cstdint>
#include <string>
#include <vector>
#include "tools/bench.d/bench.h"

struct block {
    uint64_t word[8];
};
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(block)

using namespace caf;
using next_atom = atom_constant<atom("next")>;
using done_atom = atom_constant<atom("done")>;
using go_atom = atom_constant<atom("go")>;
using credit_atom = atom_constant<atom("credit")>;
using ball_atom = atom_constant<atom("ball")>;
using ask_atom = atom_constant<atom("ask")>;

// ---- W1 and W4

struct seat_state {
    actor next;
};

static behavior
seat(stateful_actor<seat_state> *self, actor root)
{
    return {[=](next_atom, const actor &next) { self->state.next = next; },
            [=](ball_atom, uint64_t left, uint64_t arrived) {
                if (left == 0) {
                    self->send(root, done_atom::value, arrived);
                } else {
                    self->send(self->state.next, ball_atom::value, left - 1, arrived + 1);
                }
            }};
}

static uint64_t
await_done(scoped_actor &self)
{
    uint64_t result = 0;
    self->receive([&](done_atom, uint64_t arrived) { result = arrived; });
    return result;
}

static uint64_t
run_ring(actor_system &system, meter_t *meter, uint32_t seats, uint64_t hops)
{
    scoped_actor self{system};
    std::vector<actor> seated;
    for (uint32_t i = 0; i < seats; i++) {
        seated.push_back(system.spawn(seat, actor{self}));
    }
    for (uint32_t i = 0; i < seats; i++) {
        self->send(seated[i], next_atom::value, seated[(i + 1) % seats]);
    }
    meter_begin(meter);
    self->send(seated[0], ball_atom::value, hops, uint64_t{0});
    uint64_t arrived = await_done(self);
    meter_end(meter);
    for (auto &one : seated) {
        anon_send_exit(one, exit_reason::kill);
    }
    return arrived;
}

// ---- W2 and W3

struct producer_state {
    uint32_t sent = 0;
    uint64_t left = 0;
};

static behavior
producer(stateful_actor<producer_state> *self, actor consumer, uint32_t number, uint64_t count,
         bool blocks)
{
    self->state.left = count;
    return {[=](credit_atom, uint64_t credit) {
        auto &state = self->state;
        for (uint64_t i = 0; i < credit && state.left > 0; i++, state.left--) {
            if (blocks) {
                self->send(consumer, block{{number, state.sent++, 0, 0, 0, 0, 0, 1}});
            } else {
                self->send(consumer, static_cast<int32_t>(number),
                           static_cast<int32_t>(state.sent++), int32_t{1});
            }
        }
    }};
}

struct consumer_state {
    uint64_t arrived = 0;
    std::vector<actor> from;
    std::vector<uint32_t> uncredited;
};

static behavior
consumer(stateful_actor<consumer_state> *self, actor root, uint64_t expected, uint32_t batch)
{
    auto arrived = [=](size_t number, uint64_t count) {
        auto &state = self->state;
        state.arrived += count;
        if (batch > 0 && ++state.uncredited[number] == batch) {
            state.uncredited[number] = 0;
            self->send(state.from[number], credit_atom::value, uint64_t{batch});
        }
        if (state.arrived == expected) {
            self->send(root, done_atom::value, state.arrived);
        }
    };
    return {[=](int32_t a, int32_t, int32_t c) {
                arrived(static_cast<size_t>(a), static_cast<uint64_t>(c));
            },
            [=](const block &b) { arrived(b.word[0], b.word[7]); },
            [=](next_atom, const actor &from) {
                self->state.from.push_back(from);
                self->state.uncredited.push_back(0);
            }};
}

static uint64_t
run_stream(actor_system &system, meter_t *meter, uint32_t many, bool blocks, bool credit,
           uint64_t count)
{
    scoped_actor self{system};
    uint64_t each = count / many;
    uint32_t batch = many == 1 ? 250 : 40;
    auto to = system.spawn(consumer, actor{self}, each * many, credit ? batch : 0);
    std::vector<actor> from;
    for (uint32_t i = 0; i < many; i++) {
        from.push_back(system.spawn(producer, to, i, each, blocks));
        self->send(to, next_atom::value, from.back());
    }
    meter_begin(meter);
    for (int b = 0; b < (!credit ? 1 : many == 1 ? 4 : 2); b++) {
        for (auto &one : from) {
            self->send(one, credit_atom::value, credit ? uint64_t{batch} : each);
        }
    }
    uint64_t arrived = await_done(self);
    meter_end(meter);
    for (auto &one : from) {
        anon_send_exit(one, exit_reason::kill);
    }
    anon_send_exit(to, exit_reason::kill);
    return arrived;
}

// ---- W5

static behavior
mayfly(event_based_actor *self, actor root)
{
    return {[=](go_atom) {
        self->send(root, done_atom::value);
        self->quit();
    }};
}

struct spawner_state {
    uint64_t spawned = 0, ended = 0;
};

static void
spawn_wave(stateful_actor<spawner_state> *self, uint64_t count)
{
    for (uint32_t i = 0; i < W5_WAVE && self->state.spawned < count; i++) {
        self->state.spawned++;
        self->send(self->spawn(mayfly, actor{self}), go_atom::value);
    }
}

static behavior
spawner(stateful_actor<spawner_state> *self, actor root, uint64_t count)
{
    return {[=](go_atom) { spawn_wave(self, count); },
            [=](done_atom) {
                auto &state = self->state;
                if (++state.ended == count) {
                    self->send(root, done_atom::value, state.ended);
                    self->quit();
                } else if (state.ended == state.spawned) {
                    spawn_wave(self, count);
                }
            }};
}

static uint64_t
run_spawn(actor_system &system, meter_t *meter, uint64_t count)
{
    scoped_actor self{system};
    auto root = system.spawn(spawner, actor{self}, count);
    meter_begin(meter);
    self->send(root, go_atom::value);
    uint64_t arrived = await_done(self);
    meter_end(meter);
    return arrived;
}

static uint64_t
run_idle(actor_system &system, meter_t *meter, uint64_t count)
{
    scoped_actor self{system};
    std::vector<actor> idle;
    idle.reserve(count);
    uint64_t before = meter_rss();
    meter_begin(meter);
    for (uint64_t i = 0; i < count; i++) {
        idle.push_back(system.spawn(mayfly, actor{self}));
    }
    meter_end(meter);
    meter->rss -= before;
    for (auto &one : idle) {
        anon_send_exit(one, exit_reason::kill);
    }
    return idle.size();
}

// ---- W6

static behavior
answerer(event_based_actor *)
{
    return {[](ask_atom, uint64_t question) { return question; }};
}

struct gatherer_state {
    std::vector<actor> asked;
    actor root;
    bool plain = false;
    uint64_t rounds = 0, round = 0, arrived = 0;
    uint32_t answers = 0;
};

static void ask_all(stateful_actor<gatherer_state> *self);

static void
answered(stateful_actor<gatherer_state> *self, uint64_t answer)
{
    auto &state = self->state;
    state.arrived += answer == state.round;
    if (++state.answers < W6_ASKED) {
        return;
    }
    if (++state.round == state.rounds) {
        self->send(state.root, done_atom::value, state.arrived);
    } else {
        ask_all(self);
    }
}

static void
ask_all(stateful_actor<gatherer_state> *self)
{
    self->state.answers = 0;
    for (auto &one : self->state.asked) {
        if (self->state.plain) {
            self->send(one, ask_atom::value, self->state.round);
        } else {
            self->request(one, infinite, ask_atom::value, self->state.round)
                .then([=](uint64_t answer) { answered(self, answer); });
        }
    }
}

// plain: the answers come as messages, not as those of requests.
static behavior
gatherer(stateful_actor<gatherer_state> *self, actor root, uint64_t rounds, bool plain)
{
    self->state.root = root;
    self->state.rounds = rounds;
    self->state.plain = plain;
    for (uint32_t i = 0; i < W6_ASKED; i++) {
        self->state.asked.push_back(self->spawn(answerer));
    }
    return {[=](go_atom) { ask_all(self); }, [=](uint64_t answer) { answered(self, answer); }};
}

static uint64_t
run_gather(actor_system &system, meter_t *meter, bool plain, uint64_t count)
{
    scoped_actor self{system};
    auto root = system.spawn(gatherer, actor{self}, count, plain);
    meter_begin(meter);
    self->send(root, go_atom::value);
    uint64_t arrived = await_done(self);
    meter_end(meter);
    return arrived;
}

int
main(int argc, char **argv)
{
    meter_t meter;
    uint64_t arrived;
    if (argc != 4) {
        return bench_usage(argv[0]);
    }
    actor_system_config config;
    actor_system system{config};
    std::string workload = argv[1];
    uint64_t count = strtoull(argv[3], nullptr, 10);
    count -= workload == "W3" ? count % W3_PRODUCERS : 0; // each sends as many
    bool credit = bench_has(argv[2], "credit");
    if (workload == "W1") {
        arrived = run_ring(system, &meter, 2, count * 2);
    } else if (workload == "W2") {
        arrived = run_stream(system, &meter, 1, bench_has(argv[2], "64B"), credit, count);
    } else if (workload == "W3") {
        arrived = run_stream(system, &meter, W3_PRODUCERS, false, credit, count);
    } else if (workload == "W4") {
        arrived = run_ring(system, &meter, W4_SEATS, count);
    } else if (workload == "W5" && bench_has(argv[2], "idle")) {
        arrived = run_idle(system, &meter, count);
    } else if (workload == "W5") {
        arrived = run_spawn(system, &meter, count);
    } else if (workload == "W6") {
        arrived = run_gather(system, &meter, bench_has(argv[2], "plain"), count);
    } else {
        return bench_unknown(argv[1], argv[2]);
    }
    meter_print(&meter, count, arrived, "");
    fflush(stdout);
    _exit(EXIT_SUCCESS); // what is measured has ended: nobody waits for a thousand exits
}
