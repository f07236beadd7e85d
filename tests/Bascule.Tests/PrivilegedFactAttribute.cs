namespace Bascule.Tests;

/// <summary>Skipped for whoever is not root.</summary>
internal sealed class PrivilegedFactAttribute : FactAttribute
{
    /// <param name="why">What only root can do.</param>
    public PrivilegedFactAttribute(string why)
    {
        if (!Environment.IsPrivilegedProcess)
            Skip = why;
    }
}
