namespace Bascule.Proxy.Tests.Descriptors;

/// <summary>Tests that look at, or use up, the file descriptors of the whole process: nothing else may run meanwhile.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}
