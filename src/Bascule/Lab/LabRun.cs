namespace Bascule.Lab;

/// <summary>What <c>bascule lab up</c> and <c>down</c> do.</summary>
internal static class LabRun
{
    /// <summary>Runs a command of the lab; what goes wrong becomes a sentence and an exit code.</summary>
    public static async Task<int> GuardAsync(Func<Task<int>> command)
    {
        if (Tool.WhyNot() is { } reason)
        {
            Console.Error.WriteLine($"Cannot do that here: {reason}.");
            return ExitCode.Failed;
        }

        try
        {
            return await command();
        }
        catch (LabException e)
        {
            Console.Error.WriteLine($"The lab failed: {e.Message}");
            return ExitCode.Failed;
        }
    }

    /// <summary><c>bascule lab up</c></summary>
    public static async Task<int> UpAsync(string name)
    {
        LabNetwork network = await LabNetwork.UpAsync(new LabPlan(name));
        LabDirector director = await LabServices.StartAsync(network, TimeProvider.System);
        Console.Out.WriteLine(LabServices.WhatToTry(network, director));
        return ExitCode.Ok;
    }

    /// <summary><c>bascule lab down</c></summary>
    public static async Task<int> DownAsync(string name)
    {
        bool was = await LabNetwork.DownAsync(new LabPlan(name)) | await LabNetwork.DownAsync(new PairPlan($"{name}-pair"));
        Console.Out.WriteLine(was ? $"{name} is gone." : $"There is no lab called {name}.");
        return ExitCode.Ok;
    }
}
