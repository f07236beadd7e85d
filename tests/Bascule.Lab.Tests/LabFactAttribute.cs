namespace Bascule.Lab.Tests;

/// <summary>A test in the lab: skipped, with the reason in words, where no lab can be built.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LabFactAttribute : FactAttribute
{
    public LabFactAttribute() => Skip = LabFixture.WhyNot;
}

/// <inheritdoc cref="LabFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LabTheoryAttribute : TheoryAttribute
{
    public LabTheoryAttribute() => Skip = LabFixture.WhyNot;
}
