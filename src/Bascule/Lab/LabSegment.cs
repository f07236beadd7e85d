namespace Bascule.Lab;

/// <summary>A network of the lab; its number is the third part of its IPv4 addresses.</summary>
internal enum LabSegment
{
    /// <summary>10.0.0.0/24: the director and the real servers are neighbours.</summary>
    Lan = 0,

    /// <summary>10.0.1.0/24: behind a router, as seen from the director.</summary>
    Far = 1,

    /// <summary>10.0.2.0/24: behind the director, as seen from everybody else.</summary>
    Inside = 2,
}
