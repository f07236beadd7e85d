using Bascule.Core.Api;
using Bascule.Core.Replication;
using Bascule.Replication.Streams;

namespace Bascule.Replication.Tests.Streams;

/// <summary>Two exchanges with nothing but a list of records between them.</summary>
internal sealed class Pair : IDisposable
{
    private readonly IReplicatedState[] _ofA;
    private readonly IReplicatedState[] _ofB;

    public Pair(IReplicatedState[] ofA, IReplicatedState[] ofB)
    {
        (_ofA, _ofB) = (ofA, ofB);
        A = new(ofA, OutOfA) { Answered = (id, answer) => Answers.Add((id, answer)) };
        B = new(ofB, OutOfB) { Asked = (id, question) => Questions.Add((id, question)) };
    }

    public Outbox OutOfA { get; } = new();

    public Outbox OutOfB { get; } = new();

    public Exchange A { get; }

    public Exchange B { get; }

    public List<(uint Id, byte[] Question)> Questions { get; } = [];

    public List<(uint Id, byte[] Answer)> Answers { get; } = [];

    public StreamStatus StatusOfA => A.Status()[0];

    /// <summary>Turns of both until both are silent.</summary>
    public void Settle()
    {
        while (TurnA() | TurnB())
        {
            ToB();
            ToA();
        }
    }

    /// <summary>A collects its changes and says what it has to say, as far as it has room.</summary>
    /// <returns>Whether there is anything on its way.</returns>
    public bool TurnA() => Turn(_ofA, A, OutOfA);

    public bool TurnB() => Turn(_ofB, B, OutOfB);

    /// <summary>Everything on its way arrives at B.</summary>
    public void ToB() => Deliver(OutOfA, B);

    public void ToA() => Deliver(OutOfB, A);

    public void Dispose()
    {
        A.Dispose();
        B.Dispose();
    }

    private static bool Turn(IReplicatedState[] states, Exchange exchange, Outbox outbox)
    {
        for (int i = 0; i < states.Length; i++)
        {
            int number = i;
            if (!states[i].TakeChanges(entry => exchange.Offer(number, entry.Span)))
                exchange.LoseStep(number);
        }

        exchange.GoOn();
        return outbox.Room < Outbox.Capacity;
    }

    private static void Deliver(Outbox outbox, Exchange to)
    {
        while (outbox.Records.TryRead(out byte[]? record))
            Assert.True(to.TryTake(record));
    }
}
