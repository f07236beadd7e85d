using Bascule.Core.Scheduling;

namespace Bascule.Core.Tests.Scheduling;

public sealed class AnswerTimeTests
{
    private readonly AnswerTime _time = new();

    [Fact]
    public void Nothing_is_known_before_the_first_answer() => Assert.Equal(0, _time.At(Seconds(5)));

    [Fact]
    public void A_slower_answer_counts_at_once_and_quicker_ones_little_by_little()
    {
        Note(milliseconds: 10, atSecond: 0);
        Note(milliseconds: 80, atSecond: 0);
        Assert.Equal(80_000, _time.At(Seconds(0)), tolerance: 1);

        Note(milliseconds: 10, atSecond: 1);

        // e^(-1/10) of the peak, and 1 - e^(-1/10) of the new answer
        Assert.Equal((80_000 * Math.Exp(-0.1)) + (10_000 * (1 - Math.Exp(-0.1))), _time.At(Seconds(1)), tolerance: 1);
    }

    [Fact]
    public void Many_quick_answers_outlive_one_peak()
    {
        Note(milliseconds: 500, atSecond: 0);

        for (int second = 1; second <= 60; second++)
            Note(milliseconds: 10, second);

        Assert.InRange(_time.At(Seconds(60)), 10_000, 12_000);
    }

    [Fact]
    public void Without_answers_it_falls_to_an_e_th_in_ten_seconds_and_is_forgotten_in_the_end()
    {
        Note(milliseconds: 20, atSecond: 3);

        Assert.Equal(20_000 / Math.E, _time.At(Seconds(13)), tolerance: 1);
        Assert.Equal(0, _time.At(Seconds(200)));
    }

    [Fact]
    public void A_clock_that_another_worker_read_a_little_earlier_does_no_harm()
    {
        Note(milliseconds: 20, atSecond: 100);

        Assert.Equal(20_000, _time.At(TimeSpan.FromMilliseconds(99_997)), tolerance: 1);
    }

    [Fact]
    public void The_clocks_49th_day_is_passed_without_notice()
    {
        TimeSpan wrap = TimeSpan.FromMilliseconds(uint.MaxValue);
        _time.Note(TimeSpan.FromMilliseconds(20), wrap);

        Assert.Equal(20_000 / Math.E, _time.At(wrap + Seconds(10)), tolerance: 1);
    }

    [Fact]
    public void Many_threads_lose_no_peak()
    {
        Thread[] workers = [.. Enumerable.Range(1, 4).Select(worker => new Thread(() =>
        {
            for (int i = 1; i <= 10_000; i++)
                _time.Note(TimeSpan.FromMicroseconds(i == 5000 ? worker * 1_000_000 : 100), TimeSpan.Zero);
        }))];
        foreach (Thread worker in workers)
            worker.Start();
        foreach (Thread worker in workers)
            worker.Join();

        Assert.Equal(4_000_000, _time.At(TimeSpan.Zero), tolerance: 1);
    }

    private void Note(int milliseconds, int atSecond) => _time.Note(TimeSpan.FromMilliseconds(milliseconds), Seconds(atSecond));

    private static TimeSpan Seconds(int seconds) => TimeSpan.FromSeconds(seconds);
}
