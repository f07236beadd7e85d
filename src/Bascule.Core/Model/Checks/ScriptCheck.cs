namespace Bascule.Core.Model;

/// <summary>What does this program say about it?</summary>
public sealed record ScriptCheck : Check
{
    /// <summary>An absolute path, and the arguments. <c>{address}</c> and <c>{port}</c> in an argument are the real server's.</summary>
    public required ValueList<string> Command { get; init; }

    /// <summary>As whom it runs, by name or number; null: the daemon's user.</summary>
    public string? User { get; init; }

    /// <summary>Beside PATH, LANG and HOME.</summary>
    public required ValueList<EnvironmentVariable> Environment { get; init; }

    /// <summary>Exit codes from 2 on are a weight, and the real server is up.</summary>
    public required bool DynamicWeight { get; init; }

    /// <summary>What it writes says how loaded the real server is, and that moves the weight. See <see cref="Weights.LoadWeight"/>.</summary>
    public bool LoadWeight { get; init; }

    /// <inheritdoc/>
    public override string Words => $"script {Command[0]}";
}

/// <summary>A variable in the environment of a program.</summary>
public sealed record EnvironmentVariable(string Name, string Value);
