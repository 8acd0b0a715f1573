%% bench_erlang.erl - the bench's workloads on Erlang processes.
%%
%% Variant: words of 3ints, 64B, idle; `pinned` puts every second process (or the producers) on the
%% second scheduler, and all others on the first; `credit` lets producers send only what they were
%% given credit for, as ours do; without it they send as fast as they can.
-module(bench_erlang).
-export([main/0]).

-define(PRODUCERS, 100).
-define(SEATS, 500).
-define(WAVE, 1000).
-define(ASKED, 1000).

main() ->
    [Workload, Variant, Count] = init:get_plain_arguments(),
    N = whole(Workload, list_to_integer(Count)),
    Words = string:lexemes(Variant, " "),
    Self = self(),
    %% The measured runs in processes of its own, for this one belongs to the start-up.
    spawn_opt(fun() -> Self ! {result, run(Workload, Words, N)} end, place(1, Words)),
    receive {result, {Seconds, Cpu, Arrived, Rss}} ->
        io:format("{\"ops\": ~b, \"seconds\": ~.9f, \"cpu_seconds\": ~.9f, \"rss_bytes\": ~b, "
                  "\"arrived\": ~b}~n", [N, Seconds, Cpu, Rss, Arrived])
    end,
    halt(0).

%% Each producer sends as many.
whole("W3", N) -> N - N rem ?PRODUCERS;
whole(_, N) -> N.

has(Word, Words) -> lists:member(Word, Words).

place(Scheduler, Words) ->
    case has("pinned", Words) of
        true -> [{scheduler, Scheduler}];
        false -> []
    end.

%% The second scheduler for every second.
side(Number) -> 1 + Number rem 2.

resident() ->
    {ok, Text} = file:read_file("/proc/self/statm"),
    [_, Pages | _] = string:lexemes(binary_to_list(Text), " "),
    list_to_integer(Pages) * 4096.

measure(Run) ->
    {Cpu, _} = statistics(runtime),
    Start = erlang:monotonic_time(nanosecond),
    Arrived = Run(),
    End = erlang:monotonic_time(nanosecond),
    {CpuEnd, _} = statistics(runtime),
    {(End - Start) / 1.0e9, (CpuEnd - Cpu) / 1.0e3, Arrived, resident()}.

run("W1", Words, N) -> ring(2, N * 2, Words);
run("W2", Words, N) -> stream(1, N, Words);
run("W3", Words, N) -> stream(?PRODUCERS, N, Words);
run("W4", Words, N) -> ring(?SEATS, N, Words);
run("W5", ["idle" | _], N) -> idle(N);
run("W5", Words, N) -> measure(fun() -> waves(N, 0, Words) end);
run("W6", Words, N) -> gather(N, Words);
run(Workload, Words, _) ->
    io:format(standard_error, "no workload '~s ~p' here~n", [Workload, Words]),
    halt(3).

%% ---- W1, W4

ring(Seats, Hops, Words) ->
    Root = self(),
    Pids = [spawn_opt(fun() -> receive {next, Next} -> sit(Root, Next) end end,
                      place(side(I), Words)) || I <- lists:seq(0, Seats - 1)],
    [First | Rest] = Pids,
    [Pid ! {next, Next} || {Pid, Next} <- lists:zip(Pids, Rest ++ [First])],
    measure(fun() ->
        First ! {ball, Hops, 0},
        receive {done, Arrived} -> Arrived end
    end).

sit(Root, Next) ->
    receive
        {ball, 0, Arrived} -> Root ! {done, Arrived};
        {ball, Left, Arrived} ->
            Next ! {ball, Left - 1, Arrived + 1},
            sit(Root, Next)
    end.

%% ---- W2, W3

stream(Producers, N, Words) ->
    Root = self(),
    Each = N div Producers,
    Total = Each * Producers,
    Consumer = spawn_opt(fun() -> Root ! {done, consume_first(Total, Words)} end,
                         place(1, Words)),
    What = case has("64B", Words) of true -> block; false -> ints end,
    Pids = [spawn_opt(fun() -> receive go -> produce(Consumer, I, Each, What, Words) end end,
                      place(case has("spread", Words) of true -> side(I); false -> 2 end, Words))
            || I <- lists:seq(0, Producers - 1)],
    Consumer ! {producers, list_to_tuple(Pids)},
    measure(fun() ->
        [Pid ! go || Pid <- Pids],
        receive {done, Arrived} -> Arrived end
    end).

batch(1) -> {250, 4};
batch(_) -> {40, 2}.

produce(Consumer, I, Each, What, Words) ->
    case has("credit", Words) of
        true -> produce_credit(Consumer, I, 0, Each, What);
        false -> send(Consumer, I, 0, Each, What)
    end.

%% 64 bytes: a binary made anew for each message, small enough to be copied with it.
send(_, _, To, To, _) -> ok;
send(Consumer, I, B, To, ints) ->
    Consumer ! {I, B, 1},
    send(Consumer, I, B + 1, To, ints);
send(Consumer, I, B, To, block) ->
    Consumer ! <<I:64, B:64, 0:320, 1:64>>,
    send(Consumer, I, B + 1, To, block).

produce_credit(_, _, Each, Each, _) -> ok;
produce_credit(Consumer, I, B, Each, What) ->
    receive {credit, Count} ->
        To = min(B + Count, Each),
        send(Consumer, I, B, To, What),
        produce_credit(Consumer, I, To, Each, What)
    end.

consume_first(Total, Words) ->
    receive {producers, Pids} ->
        case has("credit", Words) of
            true ->
                {Batch, Batches} = batch(tuple_size(Pids)),
                [Pid ! {credit, Batch} || _ <- lists:seq(1, Batches), Pid <- tuple_to_list(Pids)],
                consume_credit(Total, 0, Pids, Batch);
            false -> consume(Total, 0)
        end
    end.

consume(Total, Total) -> Total;
consume(Total, Arrived) ->
    receive
        {_, _, C} -> consume(Total, Arrived + C);
        <<_:64, _:64, _:320, C:64>> -> consume(Total, Arrived + C)
    end.

%% The last of a batch is told by its number.
consume_credit(Total, Total, _, _) -> Total;
consume_credit(Total, Arrived, Pids, Batch) ->
    {I, B, C} = receive
        {I0, B0, C0} -> {I0, B0, C0};
        <<I0:64, B0:64, _:320, C0:64>> -> {I0, B0, C0}
    end,
    if
        (B + 1) rem Batch =:= 0 -> element(I + 1, Pids) ! {credit, Batch};
        true -> ok
    end,
    consume_credit(Total, Arrived + C, Pids, Batch).

%% ---- W5

waves(N, N, _) -> N;
waves(N, Arrived, Words) ->
    Size = min(?WAVE, N - Arrived),
    Root = self(),
    [begin
         Pid = spawn_opt(fun() -> receive first -> Root ! done end end, place(side(I), Words)),
         Pid ! first
     end || I <- lists:seq(1, Size)],
    [receive done -> ok end || _ <- lists:seq(1, Size)],
    waves(N, Arrived + Size, Words).

idle(N) ->
    Before = resident(),
    {Seconds, Cpu, Arrived, After} = measure(fun() -> idle_more(N, N) end),
    {Seconds, Cpu, Arrived, After - Before}.

idle_more(N, 0) -> N;
idle_more(N, Left) ->
    spawn(fun() -> receive first -> ok end end),
    idle_more(N, Left - 1).

%% ---- W6

gather(Rounds, Words) ->
    Pids = [spawn_opt(fun answer/0, place(side(I), Words)) || I <- lists:seq(0, ?ASKED - 1)],
    measure(fun() -> rounds(Rounds, 0, 0, Pids) end).

answer() ->
    receive {question, From, Value} ->
        From ! {answer, Value},
        answer()
    end.

rounds(Rounds, Rounds, Arrived, _) -> Arrived;
rounds(Rounds, Round, Arrived, Pids) ->
    Self = self(),
    [Pid ! {question, Self, Round} || Pid <- Pids],
    rounds(Rounds, Round + 1, await(Pids, Round, Arrived), Pids).

await([], _, Arrived) -> Arrived;
await([_ | Rest], Round, Arrived) ->
    receive {answer, Round} -> await(Rest, Round, Arrived + 1) end.
