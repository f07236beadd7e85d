namespace Bascule.Vrrp.Tests;

public sealed class SimulationTests
{
    private const int Schedules = 100_000;

    /// <summary>10^5 random schedules, each its own seed, so that one that fails can be run again by itself.</summary>
    [Fact]
    public void One_router_is_active_within_the_bound_after_the_last_fault_and_stays_it()
    {
        Parallel.For(0, Schedules, seed =>
        {
            Simulation simulation = new(seed);
            simulation.Trouble(TimeSpan.FromSeconds(1));
            simulation.Heal();
            simulation.Run(Simulation.Settles);

            for (int step = 0; step < 5; step++)
            {
                Assert.True(simulation.Active == 1, $"seed {seed}: {simulation.Active} active: {simulation.Story}");
                simulation.Run(Simulation.Interval);
            }
        });
    }
}
