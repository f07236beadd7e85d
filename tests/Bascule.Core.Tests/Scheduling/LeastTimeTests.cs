using Bascule.Core.Model;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Tests.Scheduling;

public sealed class LeastTimeTests
{
    private readonly Farm _farm = new(1, 1, 1);
    private readonly Scheduler _leastTime;

    public LeastTimeTests() => _leastTime = _farm.Scheduler(SchedulerKind.LeastTime);

    [Fact]
    public void The_quickest_gets_the_work_until_it_has_so_much_that_another_would_be_quicker()
    {
        Note(0, 30);
        Note(1, 10);
        Note(2, 25);
        Assert.Equal("B", Farm.Sequence(_leastTime, 1));
        _farm.SetActive(1, 1);
        Assert.Equal("B", Farm.Sequence(_leastTime, 1)); // 2 × 10 ms, the next would take 25

        _farm.SetActive(1, 2);

        Assert.Equal("C", Farm.Sequence(_leastTime, 1)); // 3 × 10 ms
    }

    [Fact]
    public void A_weight_divides_the_wait()
    {
        Note(0, 30);
        Note(1, 10);
        Note(2, 25);

        _farm.RealServers[0].ConfiguredWeight = 4;

        Assert.Equal("A", Farm.Sequence(_leastTime, 1));
    }

    [Fact]
    public void One_that_nobody_knows_is_asked_first_and_by_one_client_alone()
    {
        Note(0, 30);
        Note(1, 10);
        Assert.Equal("C", Farm.Sequence(_leastTime, 1));

        _farm.SetActive(2, 1);

        Assert.Equal("BB", Farm.Sequence(_leastTime, 2));
    }

    [Fact]
    public void While_nobody_has_answered_yet_clients_are_shared_out()
    {
        for (int i = 0; i < 9; i++)
        {
            int choice = _leastTime.Pick(Farm.Client("192.0.2.1"), default, new Random(1));
            _farm.SetActive(choice, _farm.RealServers[choice].ActiveConnections + 1);
        }

        Assert.Equal([3, 3, 3], _farm.RealServers.Select(r => r.ActiveConnections));
    }

    [Fact]
    public void One_that_was_slow_once_is_tried_again()
    {
        Note(0, 400);
        Note(1, 10);
        Note(2, 10);
        HashSet<char> met = [];
        for (int second = 0; second < 60; second++)
        {
            _farm.Clock.Advance(TimeSpan.FromSeconds(1));
            char choice = Farm.Sequence(_leastTime, 1)[0];
            met.Add(choice);
            if (choice == 'A')
                break;
            Note(choice - 'A', 10);
        }

        Assert.Equal(['A', 'B', 'C'], met.Order());
    }

    [Fact]
    public void Under_a_steady_load_the_waits_level_out()
    {
        // Ten requests are always under way; each takes as long as its real server needs. The quick one is four times as quick.
        int[] took = [40, 40, 10];
        PriorityQueue<int, long> underWay = new();
        int[] served = new int[3];
        for (int i = 0; i < 10; i++)
            Ask();
        for (int i = 0; i < 3000; i++)
        {
            underWay.TryDequeue(out int done, out long at);
            _farm.Clock.Advance(TimeSpan.FromMilliseconds(at) - (_farm.Clock.GetElapsedTime(0) - _start));
            Note(done, took[done]);
            _farm.SetActive(done, _farm.RealServers[done].ActiveConnections - 1);
            served[done]++;
            Ask();
        }

        // It has four times as many under way, so that one more would wait as long as elsewhere, and is through with each in a quarter of the time.
        Assert.InRange(served[2] / 3000.0, 0.85, 0.94); // 16/18

        void Ask()
        {
            int choice = _leastTime.Pick(Farm.Client("192.0.2.1"), default, new Random(1));
            _farm.SetActive(choice, _farm.RealServers[choice].ActiveConnections + 1);
            underWay.Enqueue(choice, (long)(_farm.Clock.GetElapsedTime(0) - _start).TotalMilliseconds + took[choice]);
        }
    }

    private readonly TimeSpan _start = new Testing.ManualClock().GetElapsedTime(0);

    private void Note(int index, int milliseconds) => _farm.RealServers[index].AnswerTime.Note(TimeSpan.FromMilliseconds(milliseconds), _farm.Clock.GetElapsedTime(0));
}
