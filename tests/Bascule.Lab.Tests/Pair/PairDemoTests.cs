namespace Bascule.Lab.Tests.Pair;

/// <summary><c>bascule lab demo --pair</c> as people run it, under a name of its own.</summary>
[Collection("Pair")]
public sealed class PairDemoTests
{
    [PairFact]
    public async Task The_demo_keeps_its_promises_and_leaves_nothing()
    {
        string name = $"bascule-pair-test{Environment.ProcessId}-tour";

        string output = await Tool.RunAsync(LabDirector.Program, ["lab", "demo", "--pair", "--name", name]); // which fails unless all was as promised

        Assert.Contains("the first answer", output, StringComparison.Ordinal);
        Assert.DoesNotContain("not seen", output, StringComparison.Ordinal);
        Assert.Null(LabNetwork.Find(new PairPlan($"{name}-pair")));
    }
}
