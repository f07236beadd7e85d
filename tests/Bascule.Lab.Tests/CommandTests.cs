namespace Bascule.Lab.Tests;

/// <summary><c>bascule lab</c> as people run it, under a name of its own.</summary>
public sealed class CommandTests : IAsyncLifetime
{
    private static readonly string Name = $"bascule-lab-test{Environment.ProcessId}-tour";

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (LabFixture.WhyNot is null)
            await LabNetwork.DownAsync(new LabPlan(Name));
    }

    [LabFact]
    public async Task Up_builds_it_twice_without_complaint_and_down_leaves_nothing()
    {
        await Tool.RunAsync(LabDirector.Program, ["lab", "up", "--name", Name]);
        string output = await Tool.RunAsync(LabDirector.Program, ["lab", "up", "--name", Name]);
        LabNetwork network = LabNetwork.Find(new LabPlan(Name))!;
        string answer = await network.Plan["client"].RunAsync("curl", "-sS", "--max-time", "5", $"http://{LabPlan.VirtualAddress}/");

        string gone = await Tool.RunAsync(LabDirector.Program, ["lab", "down", "--name", Name]);

        Assert.Contains("The lab stands", output, StringComparison.Ordinal);
        Assert.Contains(answer.Split('\n')[0], LabPlan.RealServers);
        Assert.Contains("is gone", gone, StringComparison.Ordinal);
        AssertNothingIsLeft(network);
    }

    [LabFact]
    public async Task The_demo_keeps_its_promises_and_leaves_nothing()
    {
        string output = await Tool.RunAsync(LabDirector.Program, ["lab", "demo", "--name", Name]); // which fails unless all was as promised

        Assert.Contains("== 6. The director's daemon dies", output, StringComparison.Ordinal);
        Assert.Null(LabNetwork.Find(new LabPlan(Name)));
        Assert.DoesNotContain(Directory.GetFiles("/run/netns"), path => path.Contains(Name, StringComparison.Ordinal));
    }

    private static void AssertNothingIsLeft(LabNetwork network)
    {
        Assert.DoesNotContain(Directory.GetFiles("/run/netns"), path => path.Contains(Name, StringComparison.Ordinal));
        Assert.False(Directory.Exists(network.Folder));
        Assert.False(Directory.Exists(network.Pins));
    }
}
